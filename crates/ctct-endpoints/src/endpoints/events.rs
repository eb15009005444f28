//! Events and who comes to them: `events`, `event_details`, `event_registrations`,
//! `event_registration_details`.

use super::event_parts::{FORM_FIELD, ITEM, LINE_ITEM, MEDIA, PROMO_CODE, PROMOTION, TICKET};
use crate::{Endpoint, Envelope, Field, KeyBinding, KeyRequest, Kind, OnRequest, Paging, Parent};

const CURSORS: Paging = Paging::Cursor { parameter: "next", member: "next_cursor", maximum: 100 };

const ADDRESS: &[&str] = &["address"];
const FIGURES: &[&str] = &["event_registration_summary_metrics"];
const CONTACT: &[&str] = &["contact"];
const TRACK: &[&str] = &["default_track"];
const METADATA: &[&str] = &["event_metadata"];
const SETTINGS: &[&str] = &["event_settings"];
const MEETING: &[&str] = &["online_meeting"];
const ORDER: &[&str] = &["order_summary"];

const EVENT: Field = Field::identifier("event_id", "Identifies the event.");

const fn place(name: &'static str, member: &'static str, description: &'static str) -> Field {
    Field::text(name, description).at(ADDRESS, member)
}

const PLACE: [Field; 13] = [
    place("address_location_name", "location_name", "The name of the place."),
    place("address_type", "address_type", "What the address is of: EVENT."),
    place("address_line1", "line1", "The first line of the address."),
    place("address_line2", "line2", "The second line of the address."),
    place("address_city", "city", "The city."),
    place("address_state", "state", "The state's name."),
    place("address_state_code", "state_code", "The state's letters."),
    place("address_postal_code", "postal_code", "The postal code."),
    place("address_country", "country", "The country's name."),
    place("address_country_code", "country_code", "The country's two letters."),
    Field::number("address_latitude", "How far north it is.").at(ADDRESS, "latitude"),
    Field::number("address_longitude", "How far east it is.").at(ADDRESS, "longitude"),
    Field::timestamp("address_create_time", "When the address was entered.")
        .at(ADDRESS, "create_time"),
];
const PLACE_UPDATED: Field =
    Field::timestamp("address_last_update_time", "When the address last changed.")
        .at(ADDRESS, "last_update_time");

const fn figure(name: &'static str, description: &'static str) -> Field {
    Field::integer(name, description).at(FIGURES, name)
}

pub(super) const EVENTS: Endpoint = Endpoint {
    table: "events",
    description: "The account's events, and how many people come.",
    path: "/events",
    scope: "campaign_data",
    envelope: Envelope::Array("records"),
    paging: CURSORS,
    key: &["event_id"],
    keys: &[KeyBinding {
        column: "status",
        request: KeyRequest::OneOf {
            parameter: "event_status",
            values: &["ACTIVE", "DRAFT", "COMPLETE", "DELETED", "CANCELLED", "ERROR"],
        },
    }],
    estimated_rows: 20,
    fields: &[
        EVENT,
        Field::text("name", "The name, which no other event has."),
        Field::text("title", "The title, for people."),
        Field::text("description", "What it is about."),
        Field::text("status", "ACTIVE, DRAFT, COMPLETE, DELETED, CANCELLED or ERROR."),
        Field::text("event_type", "What kind of event it is, such as PERFORMING_ARTS."),
        Field::text("location_type", "PHYSICAL, virtual, both, or not known yet."),
        Field::timestamp("start_time", "When it begins."),
        Field::timestamp("end_time", "When it ends."),
        Field::text("time_zone_type", "The time zone of the place, such as EST."),
        Field::timestamp("create_time", "When it was made."),
        Field::text("registration_url", "Where people register."),
        figure("registration_count", "How many people registered."),
        figure("ticket_sold", "How many tickets were sold."),
        figure("item_sold", "How many other things were sold."),
        PLACE[0],
        PLACE[1],
        PLACE[2],
        PLACE[3],
        PLACE[4],
        PLACE[5],
        PLACE[6],
        PLACE[7],
        PLACE[8],
        PLACE[9],
        PLACE[10],
        PLACE[11],
        PLACE[12],
        PLACE_UPDATED,
    ],
    ..Endpoint::PLAIN
};

const fn host(name: &'static str, member: &'static str, description: &'static str) -> Field {
    Field::text(name, description).at(CONTACT, member)
}

const fn track(field: Field, member: &'static str) -> Field {
    field.at(TRACK, member)
}

const fn setting(name: &'static str, member: &'static str, description: &'static str) -> Field {
    Field::boolean(name, description)
        .at(SETTINGS, member)
        .when(OnRequest { parameter: "include", value: "true" })
}

const fn meeting(field: Field, member: &'static str) -> Field {
    field.at(MEETING, member)
}

pub(super) const DETAILS: Endpoint = Endpoint {
    table: "event_details",
    description: "How each event is set up: its form, tickets, things to buy and codes.",
    path: "/events/{event_id}",
    scope: "campaign_data",
    key: &["event_id"],
    parent: Some(Parent { column: "event_id", table: "events", key: "event_id", ..Parent::PLAIN }),
    estimated_rows: 20,
    fields: &[
        EVENT,
        Field::identifier("campaign_id", "The same as event_id."),
        Field::text("name", "The name, which no other event has."),
        Field::text("title", "The title, for people."),
        Field::text("description", "What it is about."),
        Field::text("status", "ACTIVE, DRAFT, COMPLETE, DELETED, CANCELLED or ERROR."),
        Field::text("event_type", "What kind of event it is, such as PERFORMING_ARTS."),
        Field::text("event_code", "A short code for it."),
        Field::text("location_type", "PHYSICAL, virtual, both, or not known yet."),
        Field::timestamp("event_start", "When it begins."),
        Field::timestamp("event_end", "When it ends."),
        Field::text("time_zone", "The time zone of the place, such as US/Eastern."),
        Field::text("time_zone_abbreviation", "The same in letters, such as EST."),
        Field::timestamp("create_time", "When it was made."),
        Field::timestamp("active_time", "When it was published."),
        Field::timestamp("cancelled_time", "When it was called off."),
        Field::timestamp("deleted_time", "When it was deleted."),
        Field::timestamp("last_update_time", "When it last changed."),
        Field::text("currency_type", "The currency that is paid in."),
        Field::text("registration_url", "Where people register."),
        Field::text("event_calendar_url", "Where the calendar is that has it."),
        Field::text("event_widget_url", "Where the script is that shows it on a page."),
        Field::identifier("eso", "Identifies the account, in the event service."),
        Field::boolean("display_contact_flag", "Whether the form names the host."),
        Field::boolean("display_end_time_flag", "Whether the form names the end."),
        Field::boolean("display_on_calendar_flag", "Whether the calendar has it."),
        Field::boolean("display_time_zone_flag", "Whether the form names the time zone."),
        Field::boolean("notify_owner_on_reg", "Whether the host hears of each registration."),
        Field::new(
            "failed_campaign_activities",
            Kind::List(&Kind::Identifier),
            "Its activities that failed.",
        ),
        Field::new(
            "event_promotions",
            Kind::List(&Kind::Struct(PROMOTION)),
            "The activities that advertise it.",
        ),
        host("contact_name", "name", "The host's name."),
        host("contact_organization_name", "organization_name", "The host's organisation."),
        host("contact_email_address", "email_address", "Where answers and notices go."),
        host("contact_from_email_address", "from_email_address", "The sender of confirmations."),
        host("contact_phone_number", "phone_number", "The host's phone number."),
        Field::timestamp("contact_create_time", "When the host was entered.")
            .at(CONTACT, "create_time"),
        Field::timestamp("contact_last_update_time", "When the host last changed.")
            .at(CONTACT, "last_update_time"),
        PLACE[0],
        PLACE[1],
        PLACE[2],
        PLACE[3],
        PLACE[4],
        PLACE[5],
        PLACE[6],
        PLACE[7],
        PLACE[8],
        PLACE[9],
        PLACE[10],
        PLACE[11],
        PLACE[12],
        PLACE_UPDATED,
        track(
            Field::identifier("default_track_id", "Its track, which registrations are of."),
            "track_id",
        ),
        track(
            Field::identifier("default_track_campaign_activity_id", "The form's activity."),
            "campaign_activity_id",
        ),
        track(
            Field::identifier("default_track_confirmation_id", "The confirmation's activity."),
            "conf_email_campaign_activity_id",
        ),
        track(
            Field::text("default_track_registration_type", "TICKET or another."),
            "registration_type",
        ),
        track(
            Field::timestamp("default_track_registration_end_time", "Until when one can register."),
            "registration_end_time",
        ),
        track(
            Field::boolean("default_track_manually_closed", "Whether registration was closed."),
            "reg_manually_closed_flag",
        ),
        track(
            Field::boolean("default_track_single_ticket", "Whether each gets one ticket."),
            "restrict_to_single_ticket_flag",
        ),
        track(
            Field::integer("default_track_ticket_capacity", "How many tickets there are."),
            "overall_ticket_capacity",
        ),
        track(
            Field::text("default_track_platform_fee_scope_type", "Who pays the fee."),
            "platform_fee_scope_type",
        ),
        track(
            Field::text("default_track_tickets_header", "The words above the tickets."),
            "tickets_header",
        ),
        track(
            Field::text("default_track_items_header", "The words above the things."),
            "items_header",
        ),
        track(Field::timestamp("default_track_create_time", "When it was made."), "create_time"),
        track(
            Field::timestamp("default_track_last_update_time", "When it last changed."),
            "last_update_time",
        ),
        track(
            Field::new(
                "default_track_items",
                Kind::List(&Kind::Struct(ITEM)),
                "What can be bought.",
            ),
            "items",
        ),
        track(
            Field::new(
                "default_track_promo_codes",
                Kind::List(&Kind::Struct(PROMO_CODE)),
                "Codes that lower the price.",
            ),
            "promo_codes",
        ),
        track(
            Field::new("default_track_media_assets", Kind::List(&Kind::Struct(MEDIA)), "Pictures."),
            "media_assets",
        ),
        Field::boolean("metadata_paid_event", "Whether it costs something.")
            .at(METADATA, "paid_event"),
        Field::boolean("metadata_items_enabled", "Whether things can be bought.")
            .at(METADATA, "items_enabled"),
        Field::boolean("metadata_promo_codes_enabled", "Whether there are codes.")
            .at(METADATA, "promo_codes_enabled"),
        setting(
            "settings_requires_payments",
            "event_requires_payments",
            "Whether it has to be paid.",
        ),
        setting("settings_payment_configured", "payment_configured", "Whether it can be paid."),
        setting(
            "settings_online_payment_configured",
            "online_payment_configured",
            "Whether it can be paid online.",
        ),
        setting("settings_ticket_configured", "ticket_configured", "Whether there are tickets."),
        setting("settings_item_configured", "item_configured", "Whether there are things to buy."),
        setting(
            "settings_promo_code_configured",
            "promo_code_configured",
            "Whether there are codes.",
        ),
        meeting(
            Field::boolean("online_meeting_enabled", "Whether it can be watched."),
            "enabled_flag",
        ),
        meeting(
            Field::text("online_meeting_provider_type", "With what, such as ZOOM."),
            "provider_type",
        ),
        meeting(Field::text("online_meeting_label", "The words of the link."), "label"),
        meeting(Field::text("online_meeting_url", "Where."), "url"),
        meeting(Field::text("online_meeting_instructions", "What to do there."), "instructions"),
        meeting(
            Field::timestamp("online_meeting_create_time", "When that was set up."),
            "create_time",
        ),
        meeting(
            Field::timestamp("online_meeting_last_update_time", "When that last changed."),
            "last_update_time",
        ),
    ],
    ..Endpoint::PLAIN
};

pub(super) const REGISTRATIONS: Endpoint = Endpoint {
    table: "event_registrations",
    description: "Who registered for which event.",
    path: "/events/{event_id}/tracks/{track_id}/registrations",
    scope: "campaign_data",
    envelope: Envelope::Array("records"),
    paging: CURSORS,
    key: &["event_id", "registration_id"],
    // Of two further states the specification has the words in one.
    keys: &[
        KeyBinding {
            column: "registration_status",
            request: KeyRequest::OneOf {
                parameter: "registration_status",
                values: &["PENDING", "REGISTERED", "CANCELED", "EXPIRED"],
            },
        },
        KeyBinding {
            column: "payment_status",
            request: KeyRequest::OneOf {
                parameter: "payment_status",
                values: &["PENDING", "PAID", "REFUNDED", "CANCELLED", "FAILED", "CHARGED_BACK"],
            },
        },
    ],
    parent: Some(Parent {
        column: "event_id",
        with: &[("track_id", "default_track_id")],
        table: "event_details",
        key: "event_id",
        ..Parent::PLAIN
    }),
    estimated_rows: 500,
    fields: &[
        Field::identifier("event_id", "The event, as in events.").of_request(),
        Field::identifier("track_id", "The event's track, as in event_details.").of_request(),
        Field::identifier("registration_id", "Identifies the registration."),
        Field::timestamp("registration_time", "When it was made."),
        Field::text(
            "registration_status",
            "PENDING, REGISTERED, CANCELED, EXPIRED, IN_PROGRESS or FAILED.",
        ),
        Field::text(
            "payment_status",
            "PENDING, PAID, REFUNDED, CANCELLED, FAILED or CHARGED_BACK.",
        ),
        Field::text("email_address", "The address of who registered."),
        Field::text("first_name", "Their first name."),
        Field::text("last_name", "Their last name."),
        Field::boolean("new_contact", "Whether they became a contact by it."),
        Field::integer("tickets", "How many tickets they have."),
        Field::number("total", "How much they paid."),
        Field::text("checkin_status", "Whether they came, such as CHECKED_IN."),
        Field::integer("checked_in_tickets", "How many of their tickets came.")
            .at(&[], "checkedIn_tickets"),
        Field::integer("eligible_checkin_tickets", "How many of their tickets may come."),
        Field::identifier("track_key", "The track, in the event service."),
    ],
    ..Endpoint::PLAIN
};

const fn order(field: Field, member: &'static str) -> Field {
    field.at(ORDER, member)
}

pub(super) const REGISTRATION_DETAILS: Endpoint = Endpoint {
    table: "event_registration_details",
    description: "What each registration says and buys.",
    path: "/events/{event_id}/tracks/{track_id}/registrations/{registration_id}",
    scope: "campaign_data",
    key: &["event_id", "registration_id"],
    parent: Some(Parent {
        column: "event_id",
        with: &[("track_id", "track_id"), ("registration_id", "registration_id")],
        table: "event_registrations",
        key: "event_id",
        ..Parent::PLAIN
    }),
    estimated_rows: 500,
    fields: &[
        Field::identifier("event_id", "The event, as in events.").of_request(),
        Field::identifier("track_id", "The event's track, as in event_details.").of_request(),
        Field::identifier("registration_id", "Identifies the registration."),
        Field::identifier("contact_id", "The contact who registered."),
        Field::timestamp("registration_date", "When it was made."),
        Field::text(
            "registration_status",
            "PENDING, REGISTERED, CANCELED, EXPIRED, IN_PROGRESS or FAILED.",
        ),
        Field::text("checkin_status", "Whether they came, such as CHECKED_IN."),
        Field::integer("checked_in_tickets", "How many of their tickets came.")
            .at(&[], "checkedIn_tickets"),
        Field::integer("eligible_checkin_tickets", "How many of their tickets may come."),
        Field::boolean("display_physical_tickets", "Whether tickets are shown to be printed."),
        Field::new("contact", Kind::List(&Kind::Struct(FORM_FIELD)), "What they entered."),
        Field::new("tickets", Kind::List(&Kind::Struct(TICKET)), "Their tickets."),
        order(Field::identifier("order_number", "Identifies the order."), "number"),
        order(Field::text("order_title", "The order's title."), "title"),
        order(
            Field::new("order_details", Kind::List(&Kind::Struct(LINE_ITEM)), "What was ordered."),
            "details",
        ),
        order(Field::text("order_payment_method", "STRIPE, PAYPAL or another."), "payment_method"),
        order(
            Field::text("order_payment_status", "As payment_status in event_registrations."),
            "payment_status",
        ),
        order(Field::timestamp("order_payment_time", "When it was paid."), "payment_time"),
        order(
            Field::identifier("order_payment_transaction_id", "Identifies the payment."),
            "payment_transaction_id",
        ),
        order(Field::text("order_tickets_link", "Where the tickets are."), "tickets_link"),
        order(Field::text("order_tickets_text", "The words of that link."), "tickets_text"),
    ],
    ..Endpoint::PLAIN
};
