//! The members of lists inside of events and registrations.

use crate::{Field, Kind};

pub(super) const PROMOTION: &[Field] = &[
    Field::text("assoc_activity_sub_type", "What kind of activity it is."),
    Field::identifier("campaign_activity_id", "The activity."),
    Field::identifier("document_id", "The document that it was made from."),
    Field::identifier("ext_id", "Identifies it elsewhere."),
    Field::boolean("default", "Whether it is the first one."),
];

const LABEL: &[Field] = &[
    Field::text("label", "The words, such as Sold out."),
    Field::text("label_key", "The words' name."),
];

const ATTRIBUTE: &[Field] = &[
    Field::timestamp("create_time", "When it was entered."),
    Field::timestamp("last_update_time", "When it last changed."),
    Field::identifier("attribute_id", "Identifies the variant."),
    Field::integer("display_order", "Where it stands among the others."),
    Field::text("name", "The variant's name."),
    Field::integer("quantity_total", "How many there are."),
    Field::integer("quantity_remaining", "How many are left."),
    Field::integer("quantity_sold", "How many were sold."),
    Field::boolean("paused_flag", "Whether it cannot be bought for the time being."),
    Field::timestamp("deleted_time", "When it was taken away."),
    Field::new("status_labels", Kind::List(&Kind::Struct(LABEL)), "How that is said to people."),
];

pub(super) const ITEM: &[Field] = &[
    Field::timestamp("create_time", "When it was entered."),
    Field::timestamp("last_update_time", "When it last changed."),
    Field::identifier("item_id", "Identifies the thing."),
    Field::integer("display_order", "Where it stands among the others."),
    Field::text("name", "Its name."),
    Field::text("description", "What it is."),
    Field::number("price", "What one costs."),
    Field::integer("quantity_total", "How many there are."),
    Field::integer("quantity_remaining", "How many are left."),
    Field::integer("quantity_sold", "How many were sold."),
    Field::integer("limit_per_order", "How many one may buy."),
    Field::boolean("show_remaining_flag", "Whether people see how many are left."),
    Field::boolean("paused_flag", "Whether it cannot be bought for the time being."),
    Field::boolean("deletable_flag", "Whether it can be taken away."),
    Field::identifier("media_internal_id", "Its picture."),
    Field::text("media_url", "Where its picture is."),
    Field::boolean("time_limit_flag", "Whether it can be bought for a time only."),
    Field::timestamp("start_time", "Since when."),
    Field::timestamp("end_time", "Until when."),
    Field::boolean("hidden_flag", "Whether people do not see it."),
    Field::timestamp("deleted_time", "When it was taken away."),
    Field::new("status_labels", Kind::List(&Kind::Struct(LABEL)), "How that is said to people."),
    Field::new("attributes", Kind::List(&Kind::Struct(ATTRIBUTE)), "Its variants, such as sizes."),
];

const CODE_ITEM: &[Field] = &[
    Field::boolean("associated", "Whether the code is good for it."),
    Field::boolean("display_item_on_promo_redemption", "Whether the code makes it seen."),
    Field::boolean("hidden_flag", "Whether people do not see it."),
    Field::identifier("item_id", "The thing."),
    Field::text("name", "Its name."),
];

const CODE_TICKET: &[Field] = &[
    Field::text("name", "The ticket's name."),
    Field::identifier("ticket_id", "The ticket."),
    Field::text("ticket_type", "What kind of ticket it is, such as PAID."),
    Field::boolean("associated", "Whether the code is good for it."),
    Field::boolean("display_ticket_on_promo_redemption", "Whether the code makes it seen."),
    Field::boolean("hidden_flag", "Whether people do not see it."),
];

pub(super) const PROMO_CODE: &[Field] = &[
    Field::identifier("id", "Identifies the code."),
    Field::text("name", "The code."),
    Field::text("description", "What it is for."),
    Field::text("discount_code_type", "PERCENT or an amount."),
    Field::text("discount_code_scope", "What it lowers, such as ORDER_TOTAL."),
    Field::number("discount_amount", "By how much it lowers the price."),
    Field::integer("discount_percent", "By how many per cent."),
    Field::integer("quantity_total", "How often it can be used."),
    Field::integer("quantity_available", "How often still."),
    Field::integer("quantity_used", "How often it was."),
    Field::text("status", "Whether it can be used now."),
    Field::new("status_labels", Kind::List(&Kind::Struct(LABEL)), "How that is said to people."),
    Field::boolean("paused_flag", "Whether it cannot be used for the time being."),
    Field::boolean("time_limit_flag", "Whether it can be used for a time only."),
    Field::timestamp("start_time", "Since when."),
    Field::timestamp("end_time", "Until when."),
    Field::timestamp("deleted_time", "When it was taken away."),
    Field::new("items", Kind::List(&Kind::Struct(CODE_ITEM)), "The things that it is good for."),
    Field::new("tickets", Kind::List(&Kind::Struct(CODE_TICKET)), "The tickets."),
];

pub(super) const MEDIA: &[Field] = &[
    Field::identifier("internal_id", "Identifies the picture."),
    Field::identifier("external_id", "Identifies it elsewhere."),
    Field::text("external_url", "Where it is."),
    Field::text("media_type", "What it is for."),
    Field::timestamp("create_time", "When it was entered."),
    Field::timestamp("last_update_time", "When it last changed."),
];

pub(super) const FORM_FIELD: &[Field] = &[
    Field::integer("display_order", "Where it stands in the form."),
    Field::text("field_label", "The words beside it."),
    Field::text("field_name", "Its name."),
    Field::text("field_type", "What kind of field it is, such as TEXT."),
    Field::text("label_key", "The words' name."),
    Field::text("field_value", "What was entered."),
    Field::new("choices", Kind::List(&Kind::Text), "What could be chosen."),
];

pub(super) const TICKET: &[Field] = &[
    Field::identifier("order_ticket_key", "Identifies the ticket."),
    Field::text("ticket_name", "Its name."),
    Field::number("price", "What it cost."),
    Field::timestamp("checked_in_time", "When its owner came."),
    Field::boolean("editable", "Whether it can be changed."),
    Field::new("fields", Kind::List(&Kind::Struct(FORM_FIELD)), "What was entered for it."),
];

pub(super) const LINE_ITEM: &[Field] = &[
    Field::text("name", "What was ordered."),
    Field::text("line_item_type", "What kind of thing that is, such as TICKET."),
    Field::text("amount", "What it cost, as written for people."),
    Field::number("amount_unformatted", "What it cost."),
];
