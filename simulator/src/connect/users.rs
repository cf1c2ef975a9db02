//! Users, routing profiles, hours of operation, phone numbers: what a queue's surroundings are read from.

use serde_json::{Value, json};

use super::failure::Failure;
use super::instance::seconds;
use super::model::Instance;
use super::queues::last_segment;
use super::request::Call;

pub fn list_users(call: &Call<'_>) -> Result<Value, Failure> {
    let instance_id = call.label(0)?;
    call.authorize_instance(instance_id, "")?;
    let page = call.page_request(1000)?;
    let users = call.read(instance_id, |instance| {
        let summary = |user: &super::model::User| {
            json!({
                "Id": user.id,
                "Arn": instance.resource_arn("agent", &user.id),
                "Username": user.username,
                "LastModifiedTime": seconds(user.modified_at),
                "LastModifiedRegion": instance.region,
            })
        };
        Ok(instance.users.values().map(summary).collect())
    })?;
    call.page("UserSummaryList", users, page)
}

pub fn describe_user(call: &Call<'_>) -> Result<Value, Failure> {
    let (instance_id, user_id) = (call.label(0)?, last_segment(call.label(1)?));
    call.authorize_instance(instance_id, &format!("/agent/{user_id}"))?;
    call.read(instance_id, |instance| {
        let user = instance.users.get(user_id).ok_or_else(|| Failure::not_found("user"))?;
        Ok(json!({
            "User": {
                "Id": user.id,
                "Arn": instance.resource_arn("agent", &user.id),
                "Username": user.username,
                "IdentityInfo": {"FirstName": user.first_name, "LastName": user.last_name},
                "PhoneConfig": {"PhoneType": "SOFT_PHONE", "AutoAccept": false, "AfterContactWorkTimeLimit": 0},
                "SecurityProfileIds": [],
                "RoutingProfileId": user.routing_profile_id,
                "Tags": user.tags,
                "LastModifiedTime": seconds(user.modified_at),
                "LastModifiedRegion": instance.region,
            },
        }))
    })
}

pub fn list_routing_profiles(call: &Call<'_>) -> Result<Value, Failure> {
    let instance_id = call.label(0)?;
    call.authorize_instance(instance_id, "")?;
    let page = call.page_request(1000)?;
    let profiles = call.read(instance_id, |instance| {
        let summary = |profile: &super::model::RoutingProfile| {
            json!({
                "Id": profile.id,
                "Arn": instance.resource_arn("routing-profile", &profile.id),
                "Name": profile.name,
                "LastModifiedTime": seconds(profile.modified_at),
                "LastModifiedRegion": instance.region,
            })
        };
        Ok(instance.routing_profiles.values().map(summary).collect())
    })?;
    call.page("RoutingProfileSummaryList", profiles, page)
}

pub fn describe_routing_profile(call: &Call<'_>) -> Result<Value, Failure> {
    let (instance_id, profile_id) = (call.label(0)?, last_segment(call.label(1)?));
    call.authorize_instance(instance_id, &format!("/routing-profile/{profile_id}"))?;
    call.read(instance_id, |instance| {
        let profile = profile(instance, profile_id)?;
        let users = instance
            .users
            .values()
            .filter(|user| user.routing_profile_id == profile.id)
            .count();
        Ok(json!({
            "RoutingProfile": {
                "InstanceId": instance.id,
                "Name": profile.name,
                "RoutingProfileArn": instance.resource_arn("routing-profile", &profile.id),
                "RoutingProfileId": profile.id,
                "Description": profile.name,
                "MediaConcurrencies": concurrencies(profile.takes_tasks),
                "DefaultOutboundQueueId": profile.default_outbound_queue_id,
                "Tags": profile.tags,
                "NumberOfAssociatedQueues": profile.queue_ids.len(),
                "NumberOfAssociatedUsers": users,
                "LastModifiedTime": seconds(profile.modified_at),
                "LastModifiedRegion": instance.region,
                "IsDefault": false,
            },
        }))
    })
}

fn concurrencies(takes_tasks: bool) -> Value {
    let voice = json!({"Channel": "VOICE", "Concurrency": 1});
    if takes_tasks {
        json!([voice, {"Channel": "TASK", "Concurrency": 5}])
    } else {
        json!([voice])
    }
}

pub fn list_routing_profile_queues(call: &Call<'_>) -> Result<Value, Failure> {
    let (instance_id, profile_id) = (call.label(0)?, last_segment(call.label(1)?));
    call.authorize_instance(instance_id, &format!("/routing-profile/{profile_id}"))?;
    let page = call.page_request(100)?;
    let queues = call.read(instance_id, |instance| {
        let queues = profile(instance, profile_id)?
            .queue_ids
            .iter()
            .filter_map(|id| instance.queues.get(id));
        let summary = |queue: &super::model::Queue| {
            json!({
                "QueueId": queue.id,
                "QueueArn": instance.resource_arn("queue", &queue.id),
                "QueueName": queue.name,
                "Priority": 1,
                "Delay": 0,
                "Channel": "VOICE",
            })
        };
        Ok(queues.map(summary).collect())
    })?;
    call.page("RoutingProfileQueueConfigSummaryList", queues, page)
}

pub fn describe_hours(call: &Call<'_>) -> Result<Value, Failure> {
    let (instance_id, hours_id) = (call.label(0)?, last_segment(call.label(1)?));
    call.authorize_instance(instance_id, &format!("/operating-hours/{hours_id}"))?;
    call.read(instance_id, |instance| {
        let hours = instance.hours.get(hours_id).ok_or_else(|| Failure::not_found("hours of operation"))?;
        let days = ["SUNDAY", "MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY"];
        let always = |day: &&str| json!({"Day": day, "StartTime": {"Hours": 0, "Minutes": 0}, "EndTime": {"Hours": 0, "Minutes": 0}});
        Ok(json!({
            "HoursOfOperation": {
                "HoursOfOperationId": hours.id,
                "HoursOfOperationArn": instance.resource_arn("operating-hours", &hours.id),
                "Name": hours.name,
                "TimeZone": hours.time_zone,
                "Config": days.iter().map(always).collect::<Vec<_>>(),
                "Tags": {},
                "LastModifiedTime": seconds(hours.modified_at),
                "LastModifiedRegion": instance.region,
            },
        }))
    })
}

pub fn list_phone_numbers(call: &Call<'_>) -> Result<Value, Failure> {
    call.authorize(
        &[format!(
            "arn:aws:connect:{}:{}:phone-number/*",
            call.region(),
            call.account()
        )],
        &[],
    )?;
    let page = call.body_page_request(1000)?;
    let target = call
        .optional_text("TargetArn", 1, 2048)?
        .or(call.optional_text("InstanceId", 1, 100)?)
        .map(last_segment);
    let prefix = call.optional_text("PhoneNumberPrefix", 1, 12)?;
    let wanted_kinds = |name: &str| {
        call.body
            .get(name)
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default()
    };
    let (countries, kinds) = (
        wanted_kinds("PhoneNumberCountryCodes"),
        wanted_kinds("PhoneNumberTypes"),
    );
    let world = call.world.connect.lock();
    if let Some(target) =
        target.filter(|target| !world.instances.contains_key(&call.instance_arn(target)))
    {
        return Err(Failure::not_found(&format!("instance {target}")));
    }
    let mine = |instance: &&Instance| {
        instance.account_id == call.account()
            && instance.region == call.region()
            && target.is_none_or(|target| target == instance.id)
    };
    let numbers = world.instances.values().filter(mine).flat_map(|instance| {
        instance.numbers.values().map(move |number| {
            json!({
                "PhoneNumberId": number.id,
                "PhoneNumberArn": instance.number_arn(&number.id),
                "PhoneNumber": number.number,
                "PhoneNumberCountryCode": country(&number.number),
                "PhoneNumberType": "DID",
                "TargetArn": instance.arn,
                "InstanceId": instance.id,
            })
        })
    });
    let fits = |number: &Value| {
        prefix.is_none_or(|prefix| {
            number["PhoneNumber"]
                .as_str()
                .is_some_and(|number| number.starts_with(prefix))
        }) && (countries.is_empty() || countries.contains(&number["PhoneNumberCountryCode"]))
            && (kinds.is_empty() || kinds.contains(&number["PhoneNumberType"]))
    };
    let numbers = numbers.filter(fits).collect();
    drop(world);
    call.page("ListPhoneNumbersSummaryList", numbers, page)
}

fn profile<'i>(
    instance: &'i Instance,
    profile_id: &str,
) -> Result<&'i super::model::RoutingProfile, Failure> {
    instance
        .routing_profiles
        .get(profile_id)
        .ok_or_else(|| Failure::not_found("routing profile"))
}

/// The countries whose numbers the simulator's instances are likely to have.
fn country(number: &str) -> &'static str {
    const CODES: &[(&str, &str)] = &[
        ("+44", "GB"),
        ("+49", "DE"),
        ("+33", "FR"),
        ("+61", "AU"),
        ("+81", "JP"),
        ("+65", "SG"),
        ("+55", "BR"),
        ("+1", "US"),
    ];
    CODES
        .iter()
        .find(|(prefix, _)| number.starts_with(prefix))
        .map_or("US", |(_, country)| country)
}
