//! Lists, tags, custom fields and segments: what contacts refer to.

use serde::Serialize;

use super::contact::History;
use super::identifier;
use super::names;
use super::random::{Purpose, chance, moment, rng};
use super::time;

/// A contact list. `share` is what part of the contacts is on it, per mille.
#[derive(Debug, Clone)]
pub(crate) struct List {
    pub(crate) id: String,
    pub(crate) name: &'static str,
    pub(crate) description: Option<&'static str>,
    pub(crate) favorite: bool,
    pub(crate) created: i64,
    pub(crate) updated: i64,
    pub(crate) deleted: Option<i64>,
    pub(crate) channel: &'static str,
    pub(crate) share: u32,
    pub(crate) offset_times: bool,
}

/// A contact tag.
#[derive(Debug, Clone)]
pub(crate) struct Tag {
    pub(crate) id: String,
    pub(crate) name: &'static str,
    pub(crate) created: i64,
    pub(crate) updated: i64,
    pub(crate) share: u32,
}

/// A saved selection of contacts.
#[derive(Debug, Clone)]
pub(crate) struct Segment {
    pub(crate) id: u32,
    pub(crate) name: &'static str,
    pub(crate) created: i64,
    pub(crate) edited: i64,
    /// The contacts whose index leaves this remainder when divided by seven.
    pub(crate) remainder: u32,
}

/// The definition of a custom field, in the API's shape.
#[derive(Debug, Clone, Serialize)]
#[expect(clippy::struct_field_names, reason = "the API's names")]
pub(crate) struct CustomField {
    pub(crate) custom_field_id: String,
    pub(crate) label: &'static str,
    pub(crate) name: String,
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    pub(crate) version: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) metadata: Option<Metadata>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) choices: Vec<Choice>,
    pub(crate) created_at: String,
    pub(crate) updated_at: String,
}

/// How a custom field's values are kept and shown.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Metadata {
    #[serde(skip_serializing_if = "Option::is_none")]
    display_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    allow_negative: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    decimal_places: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    currency_code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    integer: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    display_format: Option<&'static str>,
}

/// One choice of a custom field that offers choices.
#[derive(Debug, Clone, Serialize)]
#[expect(clippy::struct_field_names, reason = "the API's names")]
pub(crate) struct Choice {
    custom_field_id: String,
    pub(crate) choice_id: u32,
    pub(crate) choice_label: &'static str,
    display_order: u32,
    created_at: String,
    updated_at: String,
}

pub(super) fn lists(seed: u64, history: History) -> Vec<List> {
    let ordinary = names::LISTS.iter().map(|list| (*list, "email", false));
    let special = [
        (("Winter 2023 (old)", Some("Last winter's customers."), 0), "email", true),
        (("Text messages", Some("By SMS only."), 25), "sms", false),
    ];
    let all = ordinary.chain(special).zip(0..);
    all.map(|(((name, description, share), channel, gone), index)| {
        let mut rng = rng(seed, Purpose::List, index);
        let created = history.start + i64::from(index) * 3_600;
        let updated = moment(&mut rng, created, history.end);
        List {
            id: identifier::contact_side(&mut rng),
            name,
            description,
            favorite: chance(&mut rng, 300),
            created,
            updated,
            deleted: gone.then_some(updated),
            channel,
            share,
            offset_times: index % 3 == 2,
        }
    })
    .collect()
}

/// The tags, in the order of their identifiers, which is the order of their pages.
pub(super) fn tags(seed: u64, history: History) -> Vec<Tag> {
    let all = names::TAGS.iter().zip(0..);
    let mut tags: Vec<Tag> = all
        .map(|((name, share), index)| {
            let mut rng = rng(seed, Purpose::Tag, index);
            let created = history.start + i64::from(index) * 86_400;
            let changed = chance(&mut rng, 500);
            let updated = if changed { moment(&mut rng, created, history.end) } else { created };
            let id = identifier::contact_side(&mut rng);
            Tag { id, name, created, updated, share: *share }
        })
        .collect();
    tags.sort_by(|a, b| a.id.cmp(&b.id));
    tags
}

pub(super) fn segments(seed: u64, history: History) -> Vec<Segment> {
    const NAMES: &[&str] = &[
        "Opened in the last 90 days",
        "VIP but silent",
        "New this month",
        "Families nearby",
        "Never clicked",
    ];
    let all = NAMES.iter().zip(0_u32..);
    all.map(|(name, index)| {
        let mut rng = rng(seed, Purpose::Segment, index);
        let created = moment(&mut rng, history.start * 1_000, history.end * 1_000);
        let edited = moment(&mut rng, created, history.end * 1_000);
        Segment { id: 14 + 7 * index, name, created, edited, remainder: index }
    })
    .collect()
}

/// One custom field of every type.
pub(super) fn custom_fields(seed: u64, history: History) -> Vec<CustomField> {
    let shown = |display_type| Metadata { display_type: Some(display_type), ..Metadata::default() };
    let fields: [(&str, &str, Option<Metadata>, &[&str]); 9] = [
        (
            "Membership renewal date",
            "date",
            Some(Metadata { display_format: Some("MM/DD/YYYY"), ..Metadata::default() }),
            &[],
        ),
        (
            "Favourite genre",
            "single_select",
            Some(shown("dropdown")),
            &["Mystery", "Poetry", "Science fiction"],
        ),
        (
            "Interests",
            "multi_select",
            Some(shown("checkbox")),
            &["Readings", "Workshops", "Music", "Cinéma"],
        ),
        (
            "Lifetime spend",
            "currency",
            Some(Metadata {
                allow_negative: Some(false),
                decimal_places: Some(2),
                currency_code: Some("USD"),
                integer: Some(false),
                ..Metadata::default()
            }),
            &[],
        ),
        ("Shop notes", "text_area", None, &[]),
        (
            "Loyalty points",
            "number",
            Some(Metadata {
                allow_negative: Some(false),
                decimal_places: Some(0),
                integer: Some(true),
                ..Metadata::default()
            }),
            &[],
        ),
        ("Wholesale customer", "boolean", None, &[]),
        ("Last visit", "datetime", None, &[]),
        ("Membership level", "string", None, &[]),
    ];
    let all = fields.into_iter().zip(0_u32..);
    all.map(|((label, kind, metadata, choices), index)| {
        let mut rng = rng(seed, Purpose::CustomField, index);
        let id = identifier::contact_side(&mut rng);
        let created = history.start + i64::from(index) * 7_200;
        let written =
            if index % 2 == 0 { time::with_offset(created) } else { time::seconds(created) };
        CustomField {
            label,
            name: label.to_lowercase().replace(' ', "_"),
            kind,
            version: if kind == "date" { 2 } else { 1 },
            metadata,
            choices: choices
                .iter()
                .zip(1..)
                .map(|(label, order)| Choice {
                    custom_field_id: id.clone(),
                    choice_id: order * 2 - 1,
                    choice_label: label,
                    display_order: order,
                    created_at: time::seconds(created),
                    updated_at: time::seconds(created),
                })
                .collect(),
            custom_field_id: id,
            created_at: written,
            updated_at: time::seconds(moment(&mut rng, created, history.end)),
        }
    })
    .collect()
}
