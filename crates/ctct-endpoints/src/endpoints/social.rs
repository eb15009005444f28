//! Social networks: `social_profiles`, `social_connections`, `social_hashtag_groups`.

use crate::{Endpoint, Envelope, Field, Kind, OnRequest, Paging};

const ACCOUNT: &[&str] = &["account_info"];
const ACCESSIBLE: OnRequest = OnRequest { parameter: "include", value: "accessible" };

const fn account(field: Field, member: &'static str) -> Field {
    field.at(ACCOUNT, member)
}

pub(super) const PROFILES: Endpoint = Endpoint {
    table: "social_profiles",
    description: "The profiles on social networks that the account can post to.",
    path: "/social/profiles",
    scope: "campaign_data",
    envelope: Envelope::Bare,
    key: &["profile_id"],
    estimated_rows: 5,
    fields: &[
        Field::identifier("profile_id", "Identifies the profile."),
        Field::text("network", "The network, such as facebook."),
        Field::text("name", "The profile's name."),
        Field::text("handle", "Its name in addresses, where the network has such."),
        Field::text("url", "Where it is."),
        Field::text("image_url", "Where its picture is."),
        Field::identifier("network_profile_id", "The network's own identifier of it."),
        Field::identifier("network_user_id", "The network's identifier of its owner."),
        Field::boolean("connected", "Whether the account is connected with it."),
        Field::boolean("accessible", "Whether it can be posted to now.").when(ACCESSIBLE),
        Field::json("settings", "What the network lets be set, as JSON.").when(ACCESSIBLE),
        account(Field::text("account_network", "The network of the owner's account."), "network"),
        account(
            Field::identifier("account_network_account_id", "The network's identifier of it."),
            "network_account_id",
        ),
        account(Field::text("account_display_name", "The owner's name."), "display_name"),
        account(Field::text("account_username", "The owner's user name."), "username"),
        account(Field::text("account_url", "Where the owner's page is."), "account_url"),
        account(Field::text("account_image_url", "Where the owner's picture is."), "image_url"),
    ],
    ..Endpoint::PLAIN
};

const STATUS: &[&str] = &["connection_status"];

const fn status(field: Field, member: &'static str) -> Field {
    field.at(STATUS, member)
}

pub(super) const CONNECTIONS: Endpoint = Endpoint {
    table: "social_connections",
    description: "The accounts on social networks that the account is connected with.",
    path: "/social/connections",
    scope: "campaign_data",
    envelope: Envelope::Array("connections"),
    key: &["network_account_id"],
    estimated_rows: 5,
    fields: &[
        account(
            Field::identifier("network_account_id", "The network's identifier of the account."),
            "network_account_id",
        ),
        account(Field::text("network", "The network, such as facebook."), "network"),
        account(Field::text("display_name", "The owner's name."), "display_name"),
        account(Field::text("username", "The owner's user name."), "username"),
        account(Field::text("account_url", "Where the owner's page is."), "account_url"),
        account(Field::text("image_url", "Where the owner's picture is."), "image_url"),
        status(Field::boolean("is_active_user", "Whether it has profiles."), "is_active_user"),
        status(Field::boolean("has_token", "Whether it was allowed."), "has_token"),
        status(Field::boolean("token_is_valid", "Whether that still holds."), "token_is_valid"),
        status(
            Field::boolean("token_has_scopes", "Whether enough was allowed."),
            "token_has_scopes",
        ),
        status(Field::boolean("rate_limited", "Whether the network asks to wait."), "rate_limited"),
        status(Field::integer("status", "What the network answered, where that failed."), "status"),
        status(Field::text("error", "What went wrong."), "error"),
    ],
    ..Endpoint::PLAIN
};

pub(super) const HASHTAG_GROUPS: Endpoint = Endpoint {
    table: "social_hashtag_groups",
    description: "Hashtags that are used together.",
    path: "/social/hashtags/groups",
    scope: "campaign_data",
    envelope: Envelope::Array("hashtag_groups"),
    paging: Paging::Links { maximum: 5 },
    key: &["hashtag_group_id"],
    estimated_rows: 10,
    fields: &[
        Field::identifier("hashtag_group_id", "Identifies the group."),
        Field::text("hashtag_group_name", "Its name."),
        Field::new("hashtag_names", Kind::List(&Kind::Text), "The hashtags, without their #."),
    ],
    ..Endpoint::PLAIN
};
