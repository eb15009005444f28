//! A contact as the API shows it: what is not set is left out.

use fastrand::Rng;
use serde::Serialize;

use super::contact::{Facts, Permission, SmsPermission};
use super::random::{Purpose, chance, moment, pick, rng};
use super::reference::CustomField;
use super::{Account, identifier, names, time};

/// Which parts of a contact are shown only when they are asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Include {
    bits: u8,
}

impl Include {
    const PARTS: [&'static str; 6] = [
        "custom_fields",
        "list_memberships",
        "phone_numbers",
        "street_addresses",
        "taggings",
        "notes",
    ];

    /// Everything.
    pub(crate) const ALL: Self = Self { bits: 0b11_1111 };

    /// The parts that a comma-separated list names; none where it names something else.
    pub(crate) fn parse(list: &str) -> Option<Self> {
        let mut bits = 0;
        for name in list.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            bits |= 1 << Self::PARTS.iter().position(|part| *part == name)?;
        }
        Some(Self { bits })
    }

    /// The names of the parts, in the order of the documentation.
    pub(crate) fn names(self) -> impl Iterator<Item = &'static str> {
        let parts = Self::PARTS.into_iter().enumerate();
        parts.filter(move |(position, _)| self.bits & (1 << position) != 0).map(|(_, part)| part)
    }

    fn has(self, part: &str) -> bool {
        self.names().any(|name| name == part)
    }
}

/// A contact in the API's shape, members in the API's order.
#[derive(Debug, Serialize)]
pub(crate) struct ContactRow<'a> {
    contact_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    email_address: Option<EmailRow>,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_name: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_name: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    job_title: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    company_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    birthday_month: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    birthday_day: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    anniversary: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    update_source: Option<&'a str>,
    create_source: &'a str,
    created_at: String,
    updated_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    custom_fields: Option<Vec<CustomValueRow<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone_numbers: Option<Vec<PhoneRow<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    street_addresses: Option<Vec<AddressRow<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    list_memberships: Option<Vec<&'a str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    taggings: Option<Vec<&'a str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    notes: Option<Vec<NoteRow<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sms_channel: Option<SmsRow<'a>>,
}

#[derive(Debug, Serialize)]
struct EmailRow {
    address: String,
    permission_to_send: &'static str,
    created_at: String,
    updated_at: String,
    opt_in_source: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    opt_in_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    opt_out_source: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    opt_out_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    opt_out_reason: Option<&'static str>,
    confirm_status: &'static str,
}

#[derive(Debug, Serialize)]
struct CustomValueRow<'a> {
    custom_field_id: &'a str,
    value: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    choice_ids: Option<Vec<String>>,
}

#[derive(Debug, Serialize)]
struct PhoneRow<'a> {
    phone_number_id: String,
    phone_number: String,
    kind: &'a str,
    created_at: String,
    updated_at: String,
    update_source: &'a str,
    create_source: &'a str,
}

#[derive(Debug, Serialize)]
struct AddressRow<'a> {
    street_address_id: String,
    kind: &'a str,
    street: String,
    city: &'a str,
    state: &'a str,
    postal_code: &'a str,
    country: &'a str,
    created_at: String,
    updated_at: String,
}

#[derive(Debug, Serialize)]
struct NoteRow<'a> {
    note_id: String,
    created_at: String,
    content: &'a str,
}

#[derive(Debug, Serialize)]
struct SmsRow<'a> {
    sms_channel_id: String,
    sms_address: String,
    dial_code: &'a str,
    country_code: &'a str,
    update_source: &'a str,
    create_source: &'a str,
    sms_channel_consents: Vec<ConsentRow<'a>>,
}

#[derive(Debug, Serialize)]
struct ConsentRow<'a> {
    sms_consent_permission: &'a str,
    consent_type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    opt_in_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    opt_out_date: Option<String>,
    advertised_frequency: &'a str,
    advertised_interval: &'a str,
    created_at: String,
    updated_at: String,
}

/// The e-mail address of the contact with this index; the index is in it, so that an
/// address leads to its contact without a search.
pub(super) fn mail_address(seed: u64, index: u32) -> String {
    let mut rng = rng(seed, Purpose::ContactDetails, index);
    let name = pick(&mut rng, names::MAIL_NAMES);
    // A plus sign is what careless escaping turns into a space.
    let separator = if chance(&mut rng, 100) { '+' } else { '.' };
    format!("{name}{separator}{index}@{}", pick(&mut rng, names::MAIL_HOSTS))
}

/// The index that this would be the e-mail address of.
pub(super) fn mail_index(address: &str) -> Option<u32> {
    let (local, _) = address.split_once('@')?;
    local.rsplit(['.', '+']).next()?.parse().ok()
}

/// What reports show of a contact.
#[derive(Debug)]
pub(crate) struct Person {
    pub(crate) contact_id: String,
    pub(crate) email_address: String,
    pub(crate) first_name: Option<&'static str>,
    pub(crate) last_name: Option<&'static str>,
}

impl Account {
    /// What reports show of the contact with this index.
    pub(crate) fn person(&self, index: u32, facts: &Facts) -> Person {
        let row = self.contact_row(index, facts, Include::default());
        Person {
            contact_id: row.contact_id,
            email_address: mail_address(self.seed, index),
            first_name: row.first_name,
            last_name: row.last_name,
        }
    }

    /// The contact with this index, with the parts that are asked for.
    pub(crate) fn contact_row(
        &self,
        index: u32,
        facts: &Facts,
        include: Include,
    ) -> ContactRow<'_> {
        // Every part draws from a generator of its own, so that what is shown does not
        // depend on what else was asked for.
        let part =
            |number: u64| rng(self.seed.wrapping_add(number << 40), Purpose::ContactDetails, index);
        let mut rng = part(1);
        let mut optional = |per_mille| !facts.bare && chance(&mut rng, per_mille);
        let (has_first, has_last, has_job, has_company) =
            (optional(900), optional(850), optional(300), optional(350));
        let (has_birthday, has_anniversary) = (optional(250), optional(150));
        let own = |flag: bool| if flag { "Contact" } else { "Account" };
        let changed = facts.updated > facts.created;
        ContactRow {
            contact_id: identifier::of_contact(self.seed, index),
            email_address: facts
                .permission
                .map(|permission| self.email_row(index, facts, permission)),
            first_name: has_first.then(|| pick(&mut rng, names::FIRST_NAMES)),
            last_name: has_last.then(|| pick(&mut rng, names::LAST_NAMES)),
            job_title: has_job.then(|| pick(&mut rng, names::JOB_TITLES)),
            company_name: has_company.then(|| pick(&mut rng, names::COMPANIES)),
            birthday_month: has_birthday.then(|| rng.u32(1..=12)),
            birthday_day: has_birthday.then(|| rng.u32(1..=28)),
            anniversary: has_anniversary.then(|| anniversary(&mut rng)),
            update_source: changed.then(|| own(rng.bool())),
            create_source: own(facts.permission == Some(Permission::Explicit)),
            created_at: time::seconds(facts.created),
            updated_at: time::seconds(facts.updated),
            deleted_at: facts.deleted.map(time::day),
            custom_fields: include
                .has("custom_fields")
                .then(|| self.custom_values(&mut part(2), facts)),
            phone_numbers: include.has("phone_numbers").then(|| phones(&mut part(3), facts)),
            street_addresses: include
                .has("street_addresses")
                .then(|| addresses(&mut part(4), facts)),
            list_memberships: include.has("list_memberships").then(|| {
                members(facts.lists).map(|position| self.lists[position].id.as_str()).collect()
            }),
            taggings: include.has("taggings").then(|| {
                members(facts.tags).map(|position| self.tags[position].id.as_str()).collect()
            }),
            notes: include.has("notes").then(|| self.notes(&mut part(5), facts)),
            sms_channel: facts.sms.map(|permission| self.sms_row(&mut part(6), facts, permission)),
        }
    }

    fn email_row(&self, index: u32, facts: &Facts, permission: Permission) -> EmailRow {
        let own = permission == Permission::Explicit;
        let by_contact = facts.deleted.is_none();
        let reason = usize::try_from(index).unwrap_or(0) % (names::OPT_OUT_REASONS.len() + 3);
        let opted_in = matches!(
            permission,
            Permission::Explicit | Permission::Implicit | Permission::Unsubscribed
        );
        EmailRow {
            address: mail_address(self.seed, index),
            permission_to_send: permission.word(),
            created_at: time::seconds(facts.created),
            updated_at: time::seconds(facts.opted_out.unwrap_or(facts.created)),
            opt_in_source: if own { "Contact" } else { "Account" },
            opt_in_date: opted_in.then(|| time::seconds(facts.created)),
            opt_out_source: facts.opted_out.map(|_| if by_contact { "Contact" } else { "Account" }),
            opt_out_date: facts.opted_out.map(time::seconds),
            opt_out_reason: facts
                .opted_out
                .filter(|_| by_contact)
                .and_then(|_| names::OPT_OUT_REASONS.get(reason).copied()),
            confirm_status: match permission {
                Permission::Explicit => "confirmed",
                Permission::PendingConfirmation => "pending",
                _ => "off",
            },
        }
    }

    fn custom_values(&self, rng: &mut Rng, facts: &Facts) -> Vec<CustomValueRow<'_>> {
        let mut values = Vec::new();
        for field in &self.custom_fields {
            if !facts.bare && chance(rng, 350) {
                values.push(custom_value(rng, field, facts));
            }
        }
        values
    }

    fn notes(&self, rng: &mut Rng, facts: &Facts) -> Vec<NoteRow<'_>> {
        let count = if facts.bare || !chance(rng, 120) { 0 } else { rng.usize(1..=3) };
        let mut times: Vec<i64> =
            (0..count).map(|_| moment(rng, facts.created, self.history.end)).collect();
        times.sort_unstable_by(|a, b| b.cmp(a));
        let note = |at| NoteRow {
            note_id: identifier::contact_side(rng),
            created_at: time::seconds(at),
            content: pick(rng, names::NOTES),
        };
        times.into_iter().map(note).collect()
    }

    fn sms_row(&self, rng: &mut Rng, facts: &Facts, permission: SmsPermission) -> SmsRow<'_> {
        let left = (permission == SmsPermission::OptedOut)
            .then(|| time::seconds(moment(rng, facts.created, self.history.end)));
        SmsRow {
            sms_channel_id: identifier::contact_side(rng),
            sms_address: format!("555010{:04}", rng.u32(0..10_000)),
            dial_code: "1",
            country_code: "US",
            update_source: "Contact",
            create_source: "Contact",
            sms_channel_consents: vec![ConsentRow {
                sms_consent_permission: match permission {
                    SmsPermission::Explicit => "explicit",
                    SmsPermission::OptedOut => "opt_out",
                    SmsPermission::Pending => "pending_confirmation",
                },
                consent_type: "promotional_sms",
                opt_in_date: (permission != SmsPermission::Pending)
                    .then(|| time::seconds(facts.created)),
                updated_at: left.clone().unwrap_or_else(|| time::seconds(facts.created)),
                opt_out_date: left,
                advertised_frequency: "4",
                advertised_interval: "monthly",
                created_at: time::seconds(facts.created),
            }],
        }
    }
}

/// The positions of a bit set.
fn members(set: u64) -> impl Iterator<Item = usize> {
    (0..64).filter(move |position| set & (1 << position) != 0)
}

fn anniversary(rng: &mut Rng) -> String {
    let (year, month, day) = (rng.u32(1990..2025), rng.u32(1..=12), rng.u32(1..=28));
    // What was entered is kept; most of it came through the API.
    if chance(rng, 200) {
        format!("{month:02}/{day:02}/{year}")
    } else {
        format!("{year}-{month:02}-{day:02}")
    }
}

fn custom_value<'a>(rng: &mut Rng, field: &'a CustomField, facts: &Facts) -> CustomValueRow<'a> {
    let chosen: Vec<_> = match field.kind {
        "single_select" => vec![&field.choices[rng.usize(0..field.choices.len())]],
        "multi_select" => {
            field.choices.iter().filter(|choice| choice.choice_id == 1 || rng.bool()).collect()
        }
        _ => Vec::new(),
    };
    let ids: Vec<String> = chosen.iter().map(|choice| choice.choice_id.to_string()).collect();
    let value = match field.kind {
        "date" => time::day(facts.created + 365 * 86_400),
        "datetime" => time::seconds(facts.updated),
        "currency" => format!("{}.{:02}", rng.u32(0..5_000), rng.u32(0..100)),
        "number" => rng.u32(0..10_000).to_string(),
        "boolean" => rng.bool().to_string(),
        "text_area" => pick(rng, names::NOTES).to_owned(),
        "single_select" | "multi_select" => ids.join(","),
        _ => pick(rng, &["Gold", "Silver", "Bronze", "Élite"]).to_owned(),
    };
    CustomValueRow {
        custom_field_id: &field.custom_field_id,
        value,
        choice_ids: (!ids.is_empty()).then_some(ids),
    }
}

fn phones(rng: &mut Rng, facts: &Facts) -> Vec<PhoneRow<'static>> {
    const KINDS: [&str; 3] = ["mobile", "home", "work"];
    let count = if facts.bare { 0 } else { [0, 0, 1, 1, 2, 3][rng.usize(0..6)] };
    let row = |kind| PhoneRow {
        phone_number_id: identifier::contact_side(rng),
        phone_number: format!("+1-555-010-{:04}", rng.u32(0..10_000)),
        kind,
        created_at: time::seconds(facts.created),
        updated_at: time::seconds(facts.updated),
        update_source: "Account",
        create_source: "Account",
    };
    KINDS.into_iter().take(count).map(row).collect()
}

fn addresses(rng: &mut Rng, facts: &Facts) -> Vec<AddressRow<'static>> {
    const KINDS: [&str; 3] = ["home", "work", "other"];
    let count = if facts.bare { 0 } else { [0, 0, 0, 1, 1, 2][rng.usize(0..6)] };
    let row = |kind| {
        let (city, state, postal_code, country) = names::CITIES[rng.usize(0..names::CITIES.len())];
        AddressRow {
            street_address_id: identifier::contact_side(rng),
            kind,
            street: format!("{} {}", rng.u32(1..300), pick(rng, names::STREETS)),
            city,
            state,
            postal_code,
            country,
            created_at: time::seconds(facts.created),
            updated_at: time::seconds(facts.updated),
        }
    };
    KINDS.into_iter().take(count).map(row).collect()
}
