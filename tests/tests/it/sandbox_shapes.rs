//! The shapes of the sandbox's answers: those written here, and those of the official
//! specification where it is at hand.

use chrono::{DateTime, NaiveDate};
use ctct_sandbox::{Collection, Settings};
use serde_json::{Map, Value, json};

use crate::declarations::specification;
use crate::sandbox::Asker;

/// Checks a value against a shape: an object of member shapes (`?` marks a member that
/// may be missing; no other member may be there), an array of the items' shape, or the
/// name of a form.
fn check(place: &str, value: &Value, shape: &Value) -> Result<(), String> {
    let wrong = || Err(format!("{place} is {value}, not {shape}"));
    match (shape, value) {
        (Value::Object(shapes), Value::Object(members)) => {
            for (name, shape) in shapes {
                let plain = name.trim_end_matches('?');
                match members.get(plain) {
                    Some(member) => check(&format!("{place}.{plain}"), member, shape)?,
                    None if name.ends_with('?') => {}
                    None => return Err(format!("{place} has no {plain}")),
                }
            }
            match members
                .keys()
                .find(|key| !shapes.contains_key(*key) && !shapes.contains_key(&format!("{key}?")))
            {
                Some(unknown) => Err(format!("{place} has {unknown}")),
                None => Ok(()),
            }
        }
        (Value::Array(shapes), Value::Array(items)) => items
            .iter()
            .enumerate()
            .try_for_each(|(index, item)| check(&format!("{place}[{index}]"), item, &shapes[0])),
        (Value::String(form), Value::String(text)) => {
            let time =
                |length: usize| text.len() == length && DateTime::parse_from_rfc3339(text).is_ok();
            let fits = match form.as_str() {
                "text" => true,
                "uuid" => text.len() == 36 && text.split('-').map(str::len).eq([8, 4, 4, 4, 12]),
                "seconds" => time(20) && text.ends_with('Z'),
                "offset" => time(25) || (time(20) && text.ends_with('Z')),
                "milliseconds" => time(24) && text.ends_with('Z'),
                "date" => NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok(),
                _ => false,
            };
            if fits { Ok(()) } else { wrong() }
        }
        (Value::String(form), Value::Number(number)) => {
            let fits = form == "number" || (form == "integer" && number.is_i64());
            if fits { Ok(()) } else { wrong() }
        }
        (Value::String(form), Value::Bool(_)) if form == "boolean" => Ok(()),
        _ => wrong(),
    }
}

fn links() -> Value {
    json!({ "next?": { "href": "text" } })
}

fn contact() -> Value {
    json!({
        "contact_id": "uuid",
        "email_address?": {
            "address": "text", "permission_to_send": "text", "created_at": "seconds",
            "updated_at": "seconds", "opt_in_source": "text", "opt_in_date?": "seconds",
            "opt_out_source?": "text", "opt_out_date?": "seconds", "opt_out_reason?": "text",
            "confirm_status": "text"
        },
        "first_name?": "text", "last_name?": "text", "job_title?": "text", "company_name?": "text",
        "birthday_month?": "integer", "birthday_day?": "integer", "anniversary?": "text",
        "update_source?": "text", "create_source": "text", "created_at": "seconds",
        "updated_at": "seconds", "deleted_at?": "date",
        "sms_channel?": {
            "sms_channel_id": "uuid", "sms_address": "text", "dial_code": "text",
            "country_code": "text", "update_source": "text", "create_source": "text",
            "sms_channel_consents": [{
                "sms_consent_permission": "text", "consent_type": "text", "opt_in_date?": "seconds",
                "opt_out_date?": "seconds", "advertised_frequency": "text",
                "advertised_interval": "text", "created_at": "seconds", "updated_at": "seconds"
            }]
        }
    })
}

fn with_everything(mut contact: Value) -> Value {
    let members: Map<String, Value> = serde_json::from_value(json!({
        "custom_fields": [{ "custom_field_id": "uuid", "value": "text", "choice_ids?": ["text"] }],
        "phone_numbers": [{
            "phone_number_id": "uuid", "phone_number": "text", "kind": "text", "created_at": "seconds",
            "updated_at": "seconds", "update_source": "text", "create_source": "text"
        }],
        "street_addresses": [{
            "street_address_id": "uuid", "kind": "text", "street": "text", "city": "text",
            "state": "text", "postal_code": "text", "country": "text", "created_at": "seconds",
            "updated_at": "seconds"
        }],
        "list_memberships": ["uuid"],
        "taggings": ["uuid"],
        "notes": [{ "note_id": "uuid", "created_at": "seconds", "content": "text" }]
    }))
    .expect("an object");
    contact.as_object_mut().expect("an object").extend(members);
    contact
}

fn campaign() -> Map<String, Value> {
    serde_json::from_value(json!({
        "campaign_id": "uuid", "created_at": "milliseconds", "current_status": "text", "name": "text",
        "type": "text", "type_code": "integer", "updated_at": "milliseconds"
    }))
    .expect("an object")
}

/// Paths, the specification's name for their answers, and their shapes.
#[expect(clippy::too_many_lines, reason = "one table, to be read as one")]
fn cases(
    contact_id: &str,
    campaign_id: &str,
    activity_id: &str,
) -> Vec<(String, &'static str, Value)> {
    let everything = "custom_fields,list_memberships,phone_numbers,street_addresses,taggings,notes";
    let list = json!({
        "list_id": "uuid", "name": "text", "description?": "text", "favorite": "boolean",
        "created_at": "offset", "updated_at": "offset", "deleted_at?": "offset",
        "membership_count": "integer"
    });
    let custom_field = json!({
        "custom_field_id": "uuid", "label": "text", "name": "text", "type": "text", "version": "integer",
        "metadata?": {
            "display_type?": "text", "allow_negative?": "boolean", "decimal_places?": "integer",
            "currency_code?": "text", "integer?": "boolean", "display_format?": "text"
        },
        "choices?": [{
            "custom_field_id": "uuid", "choice_id": "integer", "choice_label": "text",
            "display_order": "integer", "created_at": "seconds", "updated_at": "seconds"
        }],
        "created_at": "offset", "updated_at": "offset"
    });
    let mut detail = campaign();
    let activities =
        json!([{ "campaign_activity_id": "uuid", "document_id?": "uuid", "role": "text" }]);
    detail.insert("campaign_activities".to_owned(), activities);
    let account = json!({
        "contact_email": "text", "contact_phone": "text", "country_code": "text",
        "encoded_account_id": "text", "first_name": "text", "last_name": "text",
        "organization_name": "text", "organization_phone": "text", "state_code": "text",
        "time_zone_id": "text", "website": "text",
        "physical_address": {
            "address_line1": "text", "city": "text", "state_code": "text", "postal_code": "text",
            "country_code": "text"
        },
        "company_logo": { "url": "text", "internal_id": "text" }
    });
    vec![
        (
            "/contacts?limit=500&status=all&include_count=true".into(),
            "Contacts",
            json!({ "contacts": [contact()], "contacts_count": "integer", "_links": links() }),
        ),
        (
            format!("/contacts?limit=500&status=all&include={everything}"),
            "Contacts",
            json!({ "contacts": [with_everything(contact())], "_links": links() }),
        ),
        (
            "/contacts?email=nobody%40example.com".into(),
            "Contacts",
            json!({ "contacts": ["nobody"], "_links": {} }),
        ),
        (format!("/contacts/{contact_id}"), "ContactResource", contact()),
        (
            format!("/contacts/{contact_id}?include={everything}"),
            "ContactResource",
            with_everything(contact()),
        ),
        (
            "/contact_lists?limit=5&status=all&include_count=true&include_membership_count=all"
                .into(),
            "ContactListArray",
            json!({ "lists": [list], "lists_count": "integer", "_links": { "next": { "href": "text" } } }),
        ),
        (
            "/contact_tags?limit=5&include_count=true".into(),
            "Tags",
            json!({
                "tags": [{
                    "tag_id": "uuid", "name": "text", "contacts_count": "integer", "created_at": "seconds",
                    "updated_at": "seconds", "tag_source": "text"
                }],
                "_links": { "next": { "href": "text" } }
            }),
        ),
        (
            "/segments?limit=2".into(),
            "SegmentsDTO",
            json!({
                "segments": [{
                    "name": "text", "segment_id": "integer", "created_at": "milliseconds",
                    "edited_at": "milliseconds"
                }],
                "_links": { "next": { "href": "text" } }
            }),
        ),
        (
            "/contact_custom_fields?limit=100".into(),
            "CustomFields",
            json!({ "custom_fields": [custom_field], "_links": {} }),
        ),
        (
            "/emails?limit=5".into(),
            "PagedEmailCampaignResponse",
            json!({ "_links": { "next": { "href": "text" } }, "campaigns": [campaign()] }),
        ),
        (format!("/emails/{campaign_id}"), "EmailCampaign", Value::Object(detail)),
        (
            "/reports/summary_reports/email_campaign_summaries?limit=500".into(),
            "BulkEmailCampaignSummariesPage",
            json!({
                "bulk_email_campaign_summaries": [{
                    "campaign_id": "uuid", "campaign_type": "text", "last_sent_date": "milliseconds",
                    "unique_counts": {
                        "sends": "integer", "opens": "integer", "clicks": "integer",
                        "forwards": "integer", "optouts": "integer", "abuse": "integer",
                        "bounces": "integer", "not_opened": "integer"
                    }
                }],
                "aggregate_percents": {
                    "click": "number", "open": "number", "did_not_open": "number",
                    "bounce": "number", "unsubscribe": "number"
                },
                "_links": {}
            }),
        ),
        (
            format!("/reports/email_reports/{activity_id}/links?no_clicks=true"),
            "EmailLinks",
            json!({
                "campaign_activity_id": "uuid",
                "link_click_counts": [{
                    "link_url": "text", "url_id": "text", "unique_clicks": "integer",
                    "list_action?": "text", "list_id?": "uuid"
                }]
            }),
        ),
        (
            "/contacts/counts?include=new_subscriber".into(),
            "ContactsCounts",
            json!({
                "total": "integer", "explicit": "integer", "implicit": "integer",
                "pending": "integer", "unsubscribed": "integer", "new_subscriber": "integer"
            }),
        ),
        (
            "/account/summary/physical_address".into(),
            "AccountPhysicalAddress",
            json!({
                "address_line1": "text", "city": "text", "state_code": "text",
                "postal_code": "text", "country_code": "text"
            }),
        ),
        (
            "/account/emails".into(),
            "AccountEmails",
            json!([{
                "email_address": "text", "email_id": "integer", "confirm_status": "text",
                "confirm_time?": "text", "confirm_source_type?": "text", "roles": ["text"],
                "pending_roles": ["text"]
            }]),
        ),
        (
            "/account/user/privileges".into(),
            "UserPrivilegesResource",
            json!([{ "privilege_id": "integer", "privilege_name": "text" }]),
        ),
        (
            format!("/reports/stats/email_campaigns/{campaign_id}"),
            "CampaignStatsQueryResultEmail",
            json!({
                "errors": [],
                "results": [{
                    "campaign_id": "uuid", "last_refresh_time": "milliseconds",
                    "stats": {
                        "em_bounces": "integer", "em_clicks": "integer", "em_clicks_all": "integer",
                        "em_clicks_all_computer": "integer", "em_clicks_all_mobile": "integer",
                        "em_clicks_all_tablet": "integer", "em_clicks_all_other": "integer",
                        "em_clicks_all_none": "integer", "em_forwards": "integer",
                        "em_not_opened": "integer", "em_opens": "integer", "em_opens_all": "integer",
                        "em_opens_all_computer": "integer", "em_opens_all_mobile": "integer",
                        "em_opens_all_tablet": "integer", "em_opens_all_other": "integer",
                        "em_opens_all_none": "integer", "em_optouts": "integer",
                        "em_sends": "integer"
                    },
                    "percents": {
                        "bounce": "number", "click": "number", "desktop_click": "number",
                        "desktop_open": "number", "did_not_open": "number",
                        "mobile_click": "number", "mobile_open": "number", "open": "number",
                        "unsubscribe": "number"
                    }
                }]
            }),
        ),
        ("/account/summary?extra_fields=physical_address,company_logo".into(), "Customer", account),
    ]
}

/// The reports of what happened with an e-mail, in the same way.
fn reports(activity_id: &str) -> Vec<(String, &'static str, Value)> {
    let report = |name: &str, definition, further: Value| {
        let mut row = json!({
            "contact_id": "uuid", "campaign_activity_id": "uuid", "tracking_activity_type": "text",
            "email_address": "text", "first_name?": "text", "last_name?": "text",
            "created_time": "milliseconds", "deleted_at?": "date"
        });
        let further = further.as_object().cloned().unwrap_or_default();
        row.as_object_mut().expect("an object").extend(further);
        let page =
            json!({ "tracking_activities": [row], "_links": { "next?": { "href": "text" } } });
        let path = format!("/reports/email_reports/{activity_id}/tracking/{name}?limit=3");
        (path, definition, page)
    };
    let device = || json!({ "device_type?": "text" });
    vec![
        report("sends", "SendsTrackingActivitiesPage", json!({})),
        report("opens", "OpensTrackingActivitiesPage", device()),
        report("unique_opens", "OpensTrackingActivitiesPage", device()),
        report("didnotopens", "DidNotOpensTrackingActivitiesPage", json!({})),
        report(
            "clicks",
            "ClicksTrackingActivitiesPage",
            json!({ "device_type?": "text", "url_id": "text", "link_url": "text" }),
        ),
        report("forwards", "ForwardsTrackingActivitiesPage", json!({})),
        report("optouts", "OptoutsTrackingActivitiesPage", json!({ "opt_out_reason?": "text" })),
        report(
            "bounces",
            "BouncesTrackingActivitiesPage",
            json!({ "bounce_code": "text", "current_email_address": "text" }),
        ),
    ]
}

/// A definition of the specification as a schema that allows nothing else.
fn strict_schema(specification: &Value, name: &str) -> Value {
    let mut definitions = specification["definitions"].clone();
    for definition in definitions.as_object_mut().expect("definitions").values_mut() {
        close(definition);
    }
    // The specification asks for a next link on every page of some, also the last.
    for name in ["segmentsLinks", "lpreportingLinks", "reportingsmsLinks"] {
        if let Some(links) = definitions[name].as_object_mut() {
            links.remove("required");
        }
    }
    // Answers and examples have offsets that no `date-time` has.
    for pointer in [
        "/AccountEmails/items/properties/confirm_time",
        "/HistoryDetails/properties/consent_action_time",
    ] {
        if let Some(time) = definitions.pointer_mut(pointer).and_then(Value::as_object_mut) {
            time.remove("format");
        }
    }
    json!({
        "$schema": "http://json-schema.org/draft-04/schema#",
        "$ref": format!("#/definitions/{name}"),
        "definitions": definitions,
    })
}

fn close(schema: &mut Value) {
    let Some(object) = schema.as_object_mut() else { return };
    // What Swagger adds to JSON Schema, and examples that are not schemas.
    object.remove("example");
    if let Some(properties) = object.get_mut("properties").and_then(Value::as_object_mut) {
        properties.values_mut().for_each(close);
        object.insert("additionalProperties".to_owned(), Value::Bool(false));
    }
    if let Some(items) = object.get_mut("items") {
        close(items);
    }
}

#[tokio::test]
async fn answers_have_their_shapes() {
    let asker = Asker::new(Settings { contacts: 500, ..Settings::default() }).await;
    let contact = asker.sandbox.rows(Collection::Contacts).remove(0);
    let open = asker.sandbox.rows(Collection::EmailReport("opens")).remove(0);
    let campaign = asker.sandbox.rows(Collection::EmailCampaignStats).remove(0);
    let id = |row: &Value, key: &str| row[key].as_str().expect("an identifier").to_owned();
    let specification = specification();
    let activity = id(&open, "campaign_activity_id");
    let mut cases = cases(&id(&contact, "contact_id"), &id(&campaign, "campaign_id"), &activity);
    cases.extend(reports(&activity));
    for (path, definition, shape) in cases {
        let reply = asker.get(&path).await;
        assert_eq!(reply.status, 200, "{path}");
        check(&path, &reply.body, &shape).unwrap_or_else(|error| panic!("{error}"));
        if let Some(specification) = &specification {
            assert_fits(specification, &path, definition, &reply.body);
        }
    }
}

/// Paths of which every answer of the sandbox fits the specification's own shape, and the
/// name of that.
fn specified(asker: &Asker) -> Vec<(String, &'static str)> {
    let first = |collection: Collection, key: &str| {
        let row = asker.sandbox.rows(collection).remove(0);
        row[key].as_str().expect("an identifier").to_owned()
    };
    let activity = first(Collection::EmailActivities, "campaign_activity_id");
    let with_test = first(Collection::EmailActivityPart("abtest"), "campaign_activity_id");
    let scheduled = first(Collection::EmailActivityPart("schedules"), "campaign_activity_id");
    let resent = first(Collection::EmailActivityPart("non_opener_resends"), "campaign_activity_id");
    let sent = first(Collection::EmailActivityStats, "campaign_activity_id");
    let page = first(Collection::LandingPageReport("p_contact_opens"), "campaign_activity_id");
    let busy = first(Collection::ContactActivity, "contact_id");
    let texted = first(Collection::SmsEngagementHistory, "contact_id");
    let registered = asker.sandbox.rows(Collection::EventRegistrations).remove(0);
    let of = |key: &str| registered[key].as_str().expect("an identifier").to_owned();
    let (event, track, registration) = (of("event_id"), of("track_id"), of("registration_id"));
    let automation = first(Collection::Automations, "id");
    let job = first(Collection::Activities, "activity_id");
    let everything = "physical_address_in_footer,permalink_url,html_content,document_properties";
    let of_contact = format!("/reports/contact_reports/{busy}");
    let period = "start=2022-01-01T00:00:00-0500&end=2026-01-01T00:00:00-0500";
    let landing =
        |report: &str| format!("/reports/landing_pages/campaign_details/{page}/{report}?limit=3");
    let missing = "5fb24376-94c0-4268-91ef-c83a460729d5";
    vec![
        (format!("/emails/activities/{activity}"), "EmailCampaignActivity"),
        (format!("/emails/activities/{activity}?include={everything}"), "EmailCampaignActivity"),
        (format!("/emails/activities/{with_test}/abtest"), "ABTestData"),
        (format!("/emails/activities/{scheduled}/schedules"), "EmailScheduleResponse"),
        (format!("/emails/activities/{sent}/send_history"), "EmailSendHistory"),
        (format!("/emails/activities/{resent}/non_opener_resends"), "ResendToNonOpeners"),
        (format!("/emails/activities/{activity}/previews"), "EmailCampaignActivityPreview"),
        (
            format!("/reports/stats/email_campaign_activities/{sent},{missing}"),
            "CampaignActivityStatsQueryResultEmail",
        ),
        (
            format!(
                "{of_contact}/activity_details?tracking_activities_list=em_sends,em_opens&limit=2"
            ),
            "ContactTrackingActivitiesPage",
        ),
        (format!("{of_contact}/activity_summary?{period}"), "ContactCampaignActivitiesSummary"),
        (format!("{of_contact}/open_and_click_rates?{period}"), "ContactOpenAndClickRates"),
        (format!("/contacts/sms_engagement_history/{texted}"), "SmsEngagementHistory"),
        (landing("p_contact_opens"), "PContactOpensTrackingActivitiesPage"),
        (landing("p_unique_contact_opens"), "PContactOpensTrackingActivitiesPage"),
        (landing("p_unique_contact_clicks"), "PContactClickTrackingActivitiesPage"),
        (landing("p_unique_contact_adds"), "PContactAddTrackingActivitiesPage"),
        (landing("p_unique_contact_updates"), "PContactUpdateTrackingActivitiesPage"),
        (landing("p_unique_contact_sms_optins"), "PContactSMSOptInTrackingActivitiesPage"),
        (
            "/reports/summary_reports/sms_campaign_summaries?start_at=2000-01-01&limit=50".into(),
            "SmsCampaignSummariesPage",
        ),
        ("/events?limit=100".into(), "PaginationDtoEventListingDto"),
        (format!("/events/{event}?include=true"), "EventDto"),
        (format!("/events/{event}/tracks/{track}/registrations"), "PaginatedRegistrations"),
        (
            format!("/events/{event}/tracks/{track}/registrations/{registration}"),
            "DetailedRegistrationDto",
        ),
        (format!("/automations/workflows/{automation}"), "AutomationCampaign"),
        ("/automations/workflows".into(), "ListAutomationFlowsResponseDto"),
        ("/social/profiles".into(), "Profiles"),
        ("/social/profiles?include=accessible".into(), "Profiles"),
        ("/social/connections".into(), "ConnectionResponseDto"),
        ("/social/hashtags/groups?limit=5&page=0".into(), "PagedHashtagGroupsDto"),
        ("/activities?limit=500".into(), "Activities"),
        (format!("/activities/{job}"), "Activity"),
        ("/segments/14".into(), "SegmentDetail"),
    ]
}

#[tokio::test]
async fn further_answers_have_the_shapes_of_the_specification() {
    let asker = Asker::new(Settings { contacts: 800, ..Settings::default() }).await;
    let specification = specification();
    for (path, definition) in specified(&asker) {
        let reply = asker.get(&path).await;
        let expected = if definition == "ListAutomationFlowsResponseDto" { 209 } else { 200 };
        assert_eq!(reply.status, expected, "{path}");
        let rows = reply.body.as_array().cloned();
        let list = |body: &Value| body.as_object()?.values().find_map(Value::as_array).cloned();
        let empty = rows.or_else(|| list(&reply.body)).is_some_and(|rows| rows.is_empty());
        assert!(!empty || path.contains("/activities/"), "{path} is empty");
        if let Some(specification) = &specification {
            assert_fits(specification, &path, definition, &reply.body);
        }
    }
}

fn assert_fits(specification: &Value, path: &str, definition: &str, body: &Value) {
    let schema = strict_schema(specification, definition);
    let validator = jsonschema::options().build(&schema).expect("a schema");
    let errors: Vec<String> = validator
        .iter_errors(body)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{path} is no {definition}: {errors:#?}");
}

#[test]
fn a_wrong_shape_is_seen() {
    let shape = json!({ "a": "integer", "b?": ["seconds"] });
    assert!(check("x", &json!({ "a": 1, "b": ["2024-10-30T18:56:35Z"] }), &shape).is_ok());
    for wrong in [
        json!({}),
        json!({ "a": "1" }),
        json!({ "a": 1.5 }),
        json!({ "a": 1, "c": 2 }),
        json!({ "a": 1, "b": null }),
        json!({ "a": 1, "b": ["2024-10-30T18:56:35.000Z"] }),
        json!([]),
    ] {
        assert!(check("x", &wrong, &shape).is_err(), "{wrong}");
    }
}
