//! Statements made up from a seed, with the values that an account has.

use ctct_sandbox::{Collection, Sandbox};
use fastrand::Rng;

/// The columns of times that the API can restrict.
const TIME_COLUMNS: [&str; 3] = ["updated_at", "created_at", "email_opt_out_date"];

/// Makes statements up.
pub(super) struct Generator {
    pub(super) seed: u64,
    random: Rng,
    identifiers: Vec<String>,
    addresses: Vec<String>,
    /// Values of each column of times, and some that no row has.
    times: [Vec<String>; 4],
    /// When campaigns changed, were sent and opened.
    campaign_times: Vec<String>,
    lists: Vec<String>,
    tags: Vec<String>,
}

/// A statement whose parts can be made smaller.
#[derive(Debug, Clone)]
pub(super) struct Statement {
    before: String,
    condition: Condition,
    after: String,
    limit: Option<u32>,
}

/// A condition, as a tree.
#[derive(Debug, Clone)]
enum Condition {
    Leaf(String),
    Not(Box<Self>),
    Both(&'static str, Box<Self>, Box<Self>),
    /// Text before, between and after conditions, as in CASE and subqueries.
    Around(String, Box<Self>, String),
}

impl std::fmt::Display for Condition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Leaf(text) => f.write_str(text),
            Self::Not(inner) => write!(f, "NOT ({inner})"),
            Self::Both(word, left, right) => write!(f, "({left}) {word} ({right})"),
            Self::Around(before, inner, after) => write!(f, "{before}{inner}{after}"),
        }
    }
}

impl Condition {
    /// The conditions that are one step smaller.
    fn smaller(&self) -> Vec<Self> {
        let wrap = |inner: &Self, make: &dyn Fn(Self) -> Self| {
            let mut all: Vec<Self> = inner.smaller().into_iter().map(make).collect();
            all.push(inner.clone());
            all
        };
        match self {
            Self::Leaf(text) if text == "true" => Vec::new(),
            Self::Leaf(_) => vec![Self::Leaf("true".to_owned())],
            Self::Not(inner) => wrap(inner, &|inner| Self::Not(inner.into())),
            Self::Both(word, left, right) => {
                let mut all = wrap(left, &|left| Self::Both(word, left.into(), right.clone()));
                all.extend(wrap(right, &|right| Self::Both(word, left.clone(), right.into())));
                all
            }
            Self::Around(before, inner, after) => {
                wrap(inner, &|inner| Self::Around(before.clone(), inner.into(), after.clone()))
            }
        }
    }
}

impl Statement {
    pub(super) fn text(&self) -> String {
        let limit = self.limit.map(|limit| format!(" LIMIT {limit}")).unwrap_or_default();
        format!("{}{limit}", self.without_limit())
    }

    pub(super) fn without_limit(&self) -> String {
        format!("{}{}{}", self.before, self.condition, self.after)
    }

    /// Whether any of the rows are asked for, and not certain ones.
    pub(super) fn is_any_of(&self) -> bool {
        self.limit.is_some() && !self.after.contains("ORDER BY")
    }

    /// The statements that are one step smaller.
    pub(super) fn smaller(&self) -> Vec<Self> {
        let mut all: Vec<Self> = self
            .condition
            .smaller()
            .into_iter()
            .map(|condition| Self { condition, ..self.clone() })
            .collect();
        if self.limit.is_some() {
            all.push(Self { limit: None, ..self.clone() });
        }
        all
    }
}

impl Generator {
    pub(super) fn new(sandbox: &Sandbox, seed: u64) -> Self {
        let contacts = sandbox.rows(Collection::Contacts);
        let deleted = sandbox.rows(Collection::DeletedContacts);
        let text =
            |row: &serde_json::Value, path: &str| row.pointer(path)?.as_str().map(str::to_owned);
        let of = |collection, path: &'static str| -> Vec<String> {
            sandbox.rows(collection).iter().filter_map(|row| text(row, path)).collect()
        };
        let all = || contacts.iter().chain(&deleted);
        let mut identifiers: Vec<String> =
            all().filter_map(|row| text(row, "/contact_id")).collect();
        identifiers.push("nobody".to_owned());
        let mut addresses: Vec<String> =
            all().filter_map(|row| text(row, "/email_address/address")).collect();
        addresses.push("nobody@example.com".to_owned());
        let values = |path: &str| all().filter_map(|row| text(row, path)).collect::<Vec<_>>();
        let odd = ["2025-06-01T00:00:00Z", "1970-01-01T00:00:00Z", "2200-01-01T00:00:00Z"];
        let times = [
            values("/updated_at"),
            values("/created_at"),
            values("/email_address/opt_out_date"),
            odd.map(str::to_owned).to_vec(),
        ];
        Self {
            seed,
            random: Rng::with_seed(seed),
            identifiers,
            addresses,
            times,
            campaign_times: [
                of(Collection::EmailCampaigns, "/updated_at"),
                of(Collection::EmailCampaignSummaries, "/last_sent_date"),
                of(Collection::EmailReport("opens"), "/created_time"),
            ]
            .concat(),
            lists: of(Collection::ContactLists, "/list_id"),
            tags: of(Collection::ContactTags, "/tag_id"),
        }
    }

    /// The next statement.
    #[expect(clippy::too_many_lines, reason = "one list of the kinds of statements")]
    pub(super) fn statement(&mut self) -> Statement {
        let condition = self.condition(3);
        let limit = self.random.bool().then(|| self.random.u32(0..40));
        let make = |before: &str, after: &str, limit| Statement {
            before: before.to_owned(),
            condition,
            after: after.to_owned(),
            limit,
        };
        let plain = "SELECT contact_id, email_address, updated_at FROM contacts WHERE ";
        match self.random.u8(0..30) {
            0..=3 => make(plain, "", None),
            4..=5 => make(plain, "", limit),
            6 => make(plain, " ORDER BY updated_at DESC, contact_id DESC", limit),
            7 => make(plain, " ORDER BY email_opt_out_date DESC NULLS LAST, contact_id", limit),
            8..=10 => make("SELECT count(*) FROM contacts WHERE ", "", None),
            11 => make(
                "SELECT count(*), count(email_address), min(updated_at), max(created_at) FROM contacts WHERE ",
                "",
                None,
            ),
            12 => make(
                "SELECT email_permission_to_send, count(*) AS n FROM contacts WHERE ",
                " GROUP BY 1 ORDER BY n DESC, 1",
                limit,
            ),
            13 => make(
                "SELECT a.contact_id, b.first_name FROM contacts a JOIN contacts b ON a.contact_id = b.contact_id \
                 WHERE a.contact_id IN (SELECT contact_id FROM contacts WHERE ",
                ")",
                None,
            ),
            14 => make(
                "SELECT a.contact_id, b.contact_id FROM contacts a LEFT JOIN (SELECT * FROM contacts WHERE ",
                ") b ON a.contact_id = b.contact_id",
                None,
            ),
            15 => make(
                "SELECT l.name, count(m.list_id) AS n FROM contact_lists l LEFT JOIN \
                 (SELECT unnest(list_memberships) AS list_id FROM contacts WHERE ",
                ") m ON l.list_id = m.list_id GROUP BY 1 ORDER BY n DESC, 1",
                limit,
            ),
            16 => make(
                "SELECT contact_id FROM contacts WHERE updated_at > '2025-01-01' EXCEPT SELECT contact_id FROM contacts WHERE ",
                "",
                None,
            ),
            17 => make(
                "SELECT contact_id FROM contacts WHERE email_permission_to_send = 'unsubscribed' UNION ALL \
                 SELECT contact_id FROM contacts WHERE ",
                "",
                None,
            ),
            18 => make(
                "SELECT c.name, s.unique_counts_sends FROM email_campaigns c JOIN email_campaign_summaries s \
                 ON c.campaign_id = s.campaign_id WHERE c.updated_at > (SELECT min(updated_at) FROM contacts WHERE ",
                ")",
                None,
            ),
            19 => make("SELECT 1 FROM contacts WHERE ", "", limit),
            20 => {
                let lists = self.lists.clone();
                let lists = self.quoted(&lists, 3);
                let before = format!(
                    "SELECT m.contact_id, m.list_id, c.first_name FROM contact_list_memberships m JOIN contacts c \
                     ON m.contact_id = c.contact_id WHERE m.list_id IN ({lists}) AND c.contact_id IN \
                     (SELECT contact_id FROM contacts WHERE "
                );
                make(&before, ")", None)
            }
            21 => make(
                "SELECT l.name, count(m.contact_id) FROM contact_lists l LEFT JOIN contact_list_memberships m \
                 ON l.list_id = m.list_id AND m.contact_id IN (SELECT contact_id FROM contacts WHERE ",
                ") GROUP BY 1",
                None,
            ),
            22 => {
                let opened = self.campaign_time();
                let before = format!(
                    "SELECT o.campaign_activity_id, o.contact_id, o.created_time FROM email_opens o \
                     WHERE o.created_time {} {opened} AND o.contact_id IN (SELECT contact_id FROM contacts WHERE ",
                    self.operator()
                );
                make(&before, ") ORDER BY o.created_time DESC, o.contact_id, 1", limit)
            }
            23 => {
                let changed = self.campaign_time();
                let before = "SELECT c.name, a.role, count(o.contact_id) AS n FROM email_campaigns c \
                     JOIN email_campaign_activities a ON a.campaign_id = c.campaign_id \
                     LEFT JOIN (SELECT * FROM email_opens WHERE contact_id IN (SELECT contact_id FROM contacts WHERE ";
                let after = format!(
                    ")) o ON o.campaign_activity_id = a.campaign_activity_id WHERE c.updated_at > {changed} GROUP BY 1, 2"
                );
                make(before, &after, None)
            }
            24 => {
                let (changed, operator) = (self.campaign_time(), self.operator());
                let before = format!(
                    "SELECT c.campaign_id, c.updated_at, s.em_opens FROM email_campaigns c LEFT JOIN email_campaign_stats s \
                     ON s.campaign_id = c.campaign_id WHERE c.updated_at {operator} {changed} AND EXISTS (SELECT 1 FROM contacts WHERE "
                );
                make(&before, ") ORDER BY c.updated_at DESC, c.campaign_id", limit)
            }
            25 => {
                let (sent, operator) = (self.campaign_time(), self.operator());
                let before = format!(
                    "SELECT campaign_id, last_sent_date FROM email_campaign_summaries WHERE last_sent_date {operator} {sent} \
                     AND 0 < (SELECT count(*) FROM contacts WHERE "
                );
                make(&before, ") ORDER BY last_sent_date DESC NULLS LAST, 1 DESC", limit)
            }
            26 => make(
                "SELECT m.segment_id, count(*) FROM segment_contacts m JOIN contacts c ON c.contact_id = m.contact_id \
                 WHERE m.contact_id IN (SELECT contact_id FROM contacts WHERE ",
                ") GROUP BY 1",
                None,
            ),
            27 => make(
                "SELECT a.contact_id, m.list_id, t.tag_id FROM contacts a LEFT JOIN contact_list_memberships m \
                 ON m.contact_id = a.contact_id LEFT JOIN contact_taggings t ON t.contact_id = a.contact_id \
                 WHERE a.contact_id IN (SELECT contact_id FROM contacts WHERE ",
                ")",
                None,
            ),
            28 => make(
                "SELECT contact_id, updated_at FROM contacts WHERE ",
                " INTERSECT SELECT contact_id, updated_at FROM contacts WHERE email_opt_out_date IS NULL",
                None,
            ),
            _ => {
                let identifiers = self.identifiers.clone();
                let identifiers = self.quoted(&identifiers, 4);
                let before = format!(
                    "SELECT * FROM contact_taggings WHERE contact_id IN ({identifiers}) AND contact_id NOT IN \
                     (SELECT contact_id FROM contacts WHERE "
                );
                make(&before, ")", limit)
            }
        }
    }

    fn condition(&mut self, depth: u8) -> Condition {
        if depth == 0 || self.random.u8(0..4) == 0 {
            return Condition::Leaf(self.leaf());
        }
        match self.random.u8(0..12) {
            0..=3 => self.both("AND", depth),
            4..=6 => self.both("OR", depth),
            7 => Condition::Not(self.condition(depth - 1).into()),
            8 => {
                let (when, other) = (self.leaf(), self.leaf());
                let inner = self.condition(depth - 1);
                Condition::Around(
                    format!("CASE WHEN {when} THEN "),
                    inner.into(),
                    format!(" ELSE {other} END"),
                )
            }
            9 => {
                let not = if self.random.bool() { "NOT " } else { "" };
                let inner = self.condition(depth - 1);
                let before = format!("contact_id {not}IN (SELECT contact_id FROM contacts WHERE ");
                Condition::Around(before, inner.into(), ")".to_owned())
            }
            10 => {
                let (operator, function) =
                    (self.operator(), if self.random.bool() { "max" } else { "min" });
                let inner = self.condition(depth - 1);
                let before = format!(
                    "updated_at {operator} (SELECT {function}(updated_at) FROM contacts WHERE "
                );
                Condition::Around(before, inner.into(), ")".to_owned())
            }
            _ => Condition::Leaf(self.leaf()),
        }
    }

    fn both(&mut self, word: &'static str, depth: u8) -> Condition {
        Condition::Both(word, self.condition(depth - 1).into(), self.condition(depth - 1).into())
    }

    fn operator(&mut self) -> &'static str {
        ["=", "<>", "<", "<=", ">", ">="][self.random.usize(0..6)]
    }

    fn one_of(&mut self, values: &[String]) -> String {
        values[self.random.usize(0..values.len())].clone()
    }

    fn quoted(&mut self, values: &[String], most: usize) -> String {
        let count = self.random.usize(1..=most);
        let values: Vec<String> =
            (0..count).map(|_| format!("'{}'", self.one_of(values).replace('\'', "''"))).collect();
        values.join(", ")
    }

    /// A comparison with a value that the account has, or that lies next to one.
    fn leaf(&mut self) -> String {
        let not = if self.random.u8(0..4) == 0 { "NOT " } else { "" };
        let (identifiers, addresses) = (self.identifiers.clone(), self.addresses.clone());
        let (lists, tags) = (self.lists.clone(), self.tags.clone());
        match self.random.u8(0..20) {
            0 => format!("contact_id = {}", self.quoted(&identifiers, 1)),
            1 => format!("contact_id {not}IN ({})", self.quoted(&identifiers, 6)),
            2 => format!("email_address = {}", self.quoted(&addresses, 1)),
            3 => format!("email_address {not}IN ({})", self.quoted(&addresses, 4)),
            4..=5 => {
                let permission = self.permission();
                let operator = if self.random.bool() { "=" } else { "<>" };
                format!("email_permission_to_send {operator} '{permission}'")
            }
            6 => {
                let (one, other) = (self.permission(), self.permission());
                format!("email_permission_to_send {not}IN ('{one}', '{other}')")
            }
            7 => format!("array_has(list_memberships, {})", self.quoted(&lists, 1)),
            8 => format!("array_has_any(list_memberships, [{}])", self.quoted(&lists, 4)),
            9 => format!("array_has_any(taggings, [{}])", self.quoted(&tags, 3)),
            10 => {
                let column =
                    ["email_address", "email_opt_out_date", "last_name", "list_memberships"];
                format!("{} IS {not}NULL", column[self.random.usize(0..4)])
            }
            11 => format!("last_name LIKE '{}%'", ["A", "M", "S", ""][self.random.usize(0..4)]),
            12 => ["true", "false", "NULL", "email_address = NULL"][self.random.usize(0..4)]
                .to_owned(),
            13 => {
                let column = self.time_column();
                let (low, high) = (self.time(column), self.time(column));
                format!("{} {not}BETWEEN {low} AND {high}", TIME_COLUMNS[column])
            }
            14 => {
                let (column, operator) = (self.time_column(), self.operator());
                let day = self.one_of(&self.times[column].clone());
                format!("CAST({} AS DATE) {operator} DATE '{}'", TIME_COLUMNS[column], &day[..10])
            }
            15 => {
                let column = self.time_column();
                let (one, other) = (self.time(column), self.time(column));
                format!("{} {not}IN ({one}, {other})", TIME_COLUMNS[column])
            }
            _ => {
                let (column, operator) = (self.time_column(), self.operator());
                let time = self.time(column);
                if self.random.u8(0..5) == 0 {
                    format!("{time} {operator} {}", TIME_COLUMNS[column])
                } else {
                    format!("{} {operator} {time}", TIME_COLUMNS[column])
                }
            }
        }
    }

    fn permission(&mut self) -> &'static str {
        let all = [
            "explicit",
            "implicit",
            "not_set",
            "pending_confirmation",
            "temp_hold",
            "unsubscribed",
            "something else",
        ];
        all[self.random.usize(0..all.len())]
    }

    /// A time at which something happened with a campaign.
    fn campaign_time(&mut self) -> String {
        let time = self.one_of(&self.campaign_times.clone());
        let time = time.trim_end_matches('Z');
        let exact = self.random.bool();
        let time = if exact { time } else { time.split('.').next().unwrap_or(time) };
        format!("TIMESTAMP '{time}Z'")
    }

    fn time_column(&mut self) -> usize {
        self.random.usize(0..TIME_COLUMNS.len())
    }

    /// A time that a row has in this column, or that is close to one, or none of these.
    fn time(&mut self, column: usize) -> String {
        let values = if self.random.u8(0..8) == 0 { 3 } else { column };
        let time = self.one_of(&self.times[values].clone());
        let shifted = ["", "", "", "", ".000001", ".5"][self.random.usize(0..6)];
        let time =
            time.trim_end_matches('Z').split(['.', '+']).next().unwrap_or_default().to_owned();
        format!("TIMESTAMP '{time}{shifted}Z'")
    }
}
