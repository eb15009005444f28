//! Events that people come to, and who registered for them.

use serde_json::{Value, json};

use super::contact::History;
use super::identifier;
use super::random::{Purpose, chance, pick, rng};
use super::{Account, time};

/// More than a page of the API has.
const EVENTS: u32 = 103;

/// An event. Times are in milliseconds since 1970.
#[derive(Debug, Clone)]
pub(crate) struct Happening {
    pub(crate) id: String,
    pub(crate) track: String,
    number: u32,
    name: String,
    pub(crate) status: &'static str,
    created: i64,
    starts: i64,
    is_paid: bool,
    is_online: bool,
    pub(crate) registrations: Vec<Registration>,
}

/// Somebody's registration for an event.
#[derive(Debug, Clone)]
pub(crate) struct Registration {
    pub(crate) id: String,
    pub(crate) contact: u32,
    at: i64,
    pub(crate) status: &'static str,
    pub(crate) payment: &'static str,
    tickets: u32,
    came: u32,
}

/// The account's events, the first one first.
pub(super) fn happenings(seed: u64, contacts: u32, history: History) -> Vec<Happening> {
    const NAMES: &[&str] = &["Poetry night", "Reading", "Workshop", "Book club"];
    const STATUSES: &[&str] =
        &["COMPLETE", "COMPLETE", "COMPLETE", "ACTIVE", "DRAFT", "CANCELLED", "DELETED"];
    let (start, end) = (history.start * 1_000, history.end * 1_000);
    let one = |number: u32| {
        let mut rng = rng(seed, Purpose::Happening, number);
        let created = start + (end - start) / i64::from(EVENTS) * i64::from(number);
        let status = pick(&mut rng, STATUSES);
        let open = matches!(status, "COMPLETE" | "ACTIVE" | "CANCELLED");
        // One that fills more than a page.
        let count = match number {
            1 => 130,
            _ if open => rng.u32(0..5),
            _ => 0,
        };
        let is_paid = rng.bool();
        let registrations = (0..count).map(|_| {
            let status = match rng.u32(0..10) {
                0 => "CANCELED",
                1 => "PENDING",
                _ => "REGISTERED",
            };
            let tickets = rng.u32(1..4);
            Registration {
                id: identifier::campaign_side(&mut rng),
                contact: rng.u32(0..contacts.max(1)),
                at: created + rng.i64(1_000..20 * 86_400_000) / 1_000 * 1_000,
                status,
                payment: match status {
                    "PENDING" => "PENDING",
                    "CANCELED" => "REFUNDED",
                    _ => "PAID",
                },
                tickets,
                came: if status == "REGISTERED" { rng.u32(0..=tickets) } else { 0 },
            }
        });
        let mut registrations: Vec<Registration> = registrations.collect();
        registrations.sort_by(|a, b| a.id.cmp(&b.id));
        Happening {
            id: identifier::campaign_side(&mut rng),
            track: format!("tr{number:04}"),
            number,
            name: format!("{} {}", pick(&mut rng, NAMES), number + 1),
            status,
            created,
            starts: created + 30 * 86_400_000,
            is_paid,
            is_online: chance(&mut rng, 300),
            registrations,
        }
    };
    (0..EVENTS).map(one).collect()
}

impl Happening {
    fn address(&self) -> Value {
        json!({
            "address_type": "EVENT",
            "line1": "14 Lantern Row",
            "line2": "Back room",
            "city": "Gloucester",
            "country": "United States",
            "country_code": "US",
            "create_time": time::milliseconds(self.created),
            "last_update_time": time::milliseconds(self.created + 60_000),
            "latitude": 42.61,
            "longitude": -70.66,
            "location_name": "Harbor Lane Books",
            "postal_code": "01930",
            "state": "Massachusetts",
            "state_code": "MA",
        })
    }

    fn sold(&self) -> u32 {
        let registered = self.registrations.iter().filter(|one| one.status == "REGISTERED");
        registered.map(|one| one.tickets).sum()
    }

    /// The event in a list of events.
    pub(crate) fn row(&self) -> Value {
        json!({
            "event_id": self.id,
            "title": format!("{} at Harbor Lane Books", self.name),
            "description": "Readings by the water.",
            "start_time": time::seconds(self.starts / 1_000),
            "end_time": time::seconds(self.starts / 1_000 + 7_200),
            "status": self.status,
            "registration_url": format!("https://lp.constantcontactpages.com/ev/reg/{}", self.track),
            "name": self.name,
            "event_type": "PERFORMING_ARTS",
            "location_type": if self.is_online { "VIRTUAL" } else { "PHYSICAL" },
            "time_zone_type": "EST",
            "address": self.address(),
            "event_registration_summary_metrics": {
                "registration_count": self.registrations.len(),
                "ticket_sold": self.sold(),
                "item_sold": 0,
            },
            "create_time": time::milliseconds(self.created),
        })
    }

    /// What is set up for those who register.
    fn track(&self) -> Value {
        let at = |after: i64| time::milliseconds(self.created + after);
        let of = |name: &str| format!("{name}-{}", self.number);
        let label = |words: &str| json!([{ "label": words, "label_key": format!("status_label.{}", words.to_lowercase()) }]);
        let item = json!({
            "create_time": at(1_000), "last_update_time": at(2_000), "item_id": of("item"),
            "display_order": 1, "name": "Tote bag", "description": "Canvas.", "price": 12.5,
            "quantity_total": 40, "quantity_remaining": 31, "quantity_sold": 9,
            "limit_per_order": 2, "show_remaining_flag": true, "paused_flag": false,
            "deletable_flag": false, "media_internal_id": of("picture"),
            "media_url": "https://harborlanebooks.example/bag.jpg", "time_limit_flag": true,
            "start_time": at(3_000), "end_time": at(90_000_000), "hidden_flag": false,
            "deleted_time": at(95_000_000), "status_labels": label("Available"),
            "attributes": [{
                "create_time": at(1_000), "last_update_time": at(2_000),
                "attribute_id": of("size"), "display_order": 1, "name": "Large",
                "quantity_total": 20, "quantity_remaining": 15, "quantity_sold": 5,
                "paused_flag": false, "deleted_time": at(95_000_000),
                "status_labels": label("Available"),
            }],
        });
        let code = json!({
            "id": of("code"), "name": "EARLY", "description": "Early birds.",
            "discount_code_type": "PERCENT", "discount_code_scope": "ORDER_TOTAL",
            "discount_amount": 2.5, "discount_percent": 20, "quantity_total": 50,
            "quantity_available": 44, "quantity_used": 6, "status": "ACTIVE",
            "status_labels": label("Available"), "paused_flag": false, "time_limit_flag": true,
            "start_time": at(0), "end_time": at(86_400_000), "deleted_time": at(95_000_000),
            "items": [{
                "associated": true, "display_item_on_promo_redemption": false,
                "hidden_flag": false, "item_id": of("item"), "name": "Tote bag",
            }],
            "tickets": [{
                "name": "Seat", "ticket_id": of("seat"), "ticket_type": "PAID",
                "associated": true, "display_ticket_on_promo_redemption": true,
                "hidden_flag": false,
            }],
        });
        json!({
            "campaign_activity_id": of("form"), "conf_email_campaign_activity_id": of("confirmation"),
            "create_time": at(0), "last_update_time": at(5_000), "items_header": "Also for you",
            "tickets_header": "Seats", "overall_ticket_capacity": 200,
            "platform_fee_scope_type": "OWNER", "reg_manually_closed_flag": false,
            "registration_end_time": time::seconds(self.starts / 1_000 - 3_600),
            "registration_type": "TICKET", "restrict_to_single_ticket_flag": false,
            "track_id": self.track,
            "media_assets": [{
                "create_time": at(0), "external_id": of("elsewhere"),
                "external_url": "https://harborlanebooks.example/night.jpg",
                "internal_id": of("banner"), "last_update_time": at(1_000), "media_type": "BNR",
            }],
            "items": [item],
            "promo_codes": [code],
        })
    }

    /// The event alone, with how it is set up where that is asked for.
    pub(crate) fn details(&self, with_settings: bool) -> Value {
        let at = |after: i64| time::milliseconds(self.created + after);
        let of = |name: &str| format!("{name}-{}", self.number);
        let track = self.track();
        let mut details = json!({
            "event_id": self.id, "campaign_id": self.id, "name": self.name,
            "title": format!("{} at Harbor Lane Books", self.name),
            "description": "Readings by the water.", "status": self.status,
            "event_type": "PERFORMING_ARTS", "event_code": format!("EV{}", self.number),
            "event_start": time::seconds(self.starts / 1_000),
            "event_end": time::seconds(self.starts / 1_000 + 7_200),
            "eso": "001wSandbox", "create_time": at(0), "active_time": at(600_000),
            "last_update_time": at(700_000), "address": self.address(),
            "contact": {
                "create_time": at(0), "last_update_time": at(60_000), "name": "June Alder",
                "organization_name": "Harbor Lane Books", "phone_number": "555-010-0001",
                "email_address": "owner@harborlanebooks.example",
                "from_email_address": "news@harborlanebooks.example",
            },
            "currency_type": "USD", "default_track": track, "display_contact_flag": true,
            "display_end_time_flag": true, "display_on_calendar_flag": true,
            "display_time_zone_flag": false, "notify_owner_on_reg": true,
            "event_calendar_url": "https://lp.constantcontactpages.com/ev/calendar/001wSandbox",
            "event_widget_url": "https://eventsfeed.constantcontact.com/widget/myevents.js?eso=001wSandbox",
            "registration_url": format!("https://lp.constantcontactpages.com/ev/reg/{}", self.track),
            "event_metadata": {
                "items_enabled": true, "paid_event": self.is_paid, "promo_codes_enabled": true,
            },
            "event_promotions": [{
                "assoc_activity_sub_type": "EMAIL_INVITATION",
                "campaign_activity_id": of("invitation"), "document_id": of("document"),
                "ext_id": of("external"), "default": true,
            }],
            "failed_campaign_activities": [],
            "location_type": if self.is_online { "VIRTUAL" } else { "PHYSICAL" },
            "time_zone": "US/Eastern", "time_zone_abbreviation": "EST",
        });
        match self.status {
            "CANCELLED" => details["cancelled_time"] = json!(at(800_000)),
            "DELETED" => details["deleted_time"] = json!(at(900_000)),
            _ => {}
        }
        if self.is_online {
            details["online_meeting"] = json!({
                "create_time": at(0), "enabled_flag": true, "instructions": "Mute yourself.",
                "label": "Watch", "last_update_time": at(1_000), "provider_type": "ZOOM",
                "url": "https://meetings.example/harbor",
            });
        }
        if with_settings {
            details["event_settings"] = json!({
                "event_requires_payments": self.is_paid, "item_configured": true,
                "online_payment_configured": self.is_paid, "payment_configured": self.is_paid,
                "promo_code_configured": true, "ticket_configured": true,
            });
        }
        details
    }
}

impl Registration {
    fn checked_in(&self) -> &'static str {
        if self.came > 0 { "CHECKED_IN" } else { "NOT_CHECKED_IN" }
    }

    fn paid(&self) -> f64 {
        f64::from(self.tickets) * 12.5
    }

    /// The registration in a list of registrations.
    pub(crate) fn row(&self, account: &Account, of: &Happening) -> Value {
        let person = account.person(self.contact, &account.facts(self.contact));
        let mut row = json!({
            "checkedIn_tickets": self.came,
            "checkin_status": self.checked_in(),
            "eligible_checkin_tickets": self.tickets,
            "email_address": person.email_address,
            "new_contact": self.contact.is_multiple_of(2),
            "payment_status": self.payment,
            "registration_id": self.id,
            "registration_status": self.status,
            "registration_time": time::milliseconds(self.at),
            "tickets": self.tickets,
            "total": self.paid(),
            "track_key": of.track,
        });
        for (name, part) in [("first_name", person.first_name), ("last_name", person.last_name)] {
            if let Some(part) = part {
                row[name] = json!(part);
            }
        }
        row
    }

    /// The registration alone.
    pub(crate) fn details(&self, account: &Account) -> Value {
        let person = account.person(self.contact, &account.facts(self.contact));
        let field = |order: u32, label: &str, entered: &str| {
            json!({
                "display_order": order, "field_label": label,
                "field_name": label.to_uppercase().replace(' ', "_"), "field_type": "TEXT",
                "label_key": format!("registration.field.label.{order}"), "field_value": entered,
            })
        };
        let mut diet = field(2, "Diet", "None");
        diet["field_type"] = json!("SINGLE_SELECT");
        diet["choices"] = json!(["None", "Vegetarian"]);
        let tickets = (0..self.tickets).map(|number| {
            let mut ticket = json!({
                "editable": false, "order_ticket_key": format!("{}-{number}", &self.id[..8]),
                "price": 12.5, "ticket_name": "Seat", "fields": [field(1, "Seat", "Front")],
            });
            if number < self.came {
                ticket["checked_in_time"] = json!(time::milliseconds(self.at + 86_400_000));
            }
            ticket
        });
        json!({
            "registration_id": self.id,
            "contact_id": person.contact_id,
            "checkedIn_tickets": self.came,
            "checkin_status": self.checked_in(),
            "eligible_checkin_tickets": self.tickets,
            "registration_date": time::milliseconds(self.at),
            "registration_status": self.status,
            "display_physical_tickets": true,
            "contact": [field(1, "Email Address", &person.email_address), diet],
            "tickets": tickets.collect::<Vec<_>>(),
            "order_summary": {
                "details": [{
                    "amount": format!("${:.2}", self.paid()), "amount_unformatted": self.paid(),
                    "line_item_type": "TICKET", "name": "Seat",
                }],
                "number": self.id[..8].to_uppercase(),
                "payment_method": "STRIPE",
                "payment_status": self.payment,
                "payment_time": time::milliseconds(self.at + 30_000),
                "payment_transaction_id": format!("t-{}", self.id),
                "tickets_link": format!("https://lp.constantcontactpages.com/ev/reg/tickets/{}", self.id),
                "tickets_text": "Your seats by the water.",
                "title": "Harbor Lane Books",
            },
        })
    }
}
