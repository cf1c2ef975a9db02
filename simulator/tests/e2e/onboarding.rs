//! Registering and verifying: what is wrong is refused and named, and nobody gets an instance that is another's.

use ringfence_simulator::dev::Result;
use ringfence_simulator::dev::customer::Customer;
use ringfence_simulator::dev::rest::{list, text};
use serde_json::{Value, json};

use super::harness::{Town, faults_at, in_town, refused};

#[tokio::test]
async fn arns_that_cannot_be_served_are_refused_with_the_reason() {
    in_town(async |town| {
        let rest = town.tenant("Northwind").await?;
        let id = "00000000-0000-4000-8000-00000000000a";
        for arn in [
            format!("arn:aws:connect:ap-southeast-2:111122220001:instance/{id}"),
            format!("arn:aws-cn:connect:cn-north-1:111122220001:instance/{id}"),
            format!("arn:aws:lambda:us-east-1:111122220001:instance/{id}"),
            format!("arn:aws:connect:us-east-1:1111:instance/{id}"),
            "arn:aws:connect:us-east-1:111122220001:instance/not-an-id".to_owned(),
            "nonsense".to_owned(),
        ] {
            let body = json!({ "instance_arn": arn });
            let problem = refused(rest.post("/v1/instances", &body), 422).await;
            let faults = faults_at(&problem, "/instance_arn");
            assert!(
                faults.iter().any(|(_, detail)| !detail.is_empty()),
                "{arn}: {problem}"
            );
        }
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn an_instance_belongs_to_the_tenant_that_verified_it() {
    in_town(async |town| {
        let first = town.tenant("Northwind").await?;
        let mut owner = town.customer(&first, "111122220001", "us-east-1").await?;
        // A stranger's unverified claim blocks nobody.
        let stranger = town.tenant("Stranger").await?;
        let claim = json!({ "instance_arn": owner.arn() });
        let claimed = stranger.post("/v1/instances", &claim).await?;
        owner.join("northwind").await?;

        // Who cannot prove an instance does not even learn that somebody else has.
        let path = format!("/v1/instances/{}", text(&claimed, "/id")?);
        let verify = format!("{path}/verify");
        let problem = refused(stranger.post(&verify, &json!({})), 422).await;
        assert_eq!(problem["code"], "verification_failed", "{problem}");
        // What is another tenant's looks exactly like what does not exist.
        let others = refused(stranger.get(&owner.path("")), 404).await;
        let nobodys = refused(
            stranger.get("/v1/instances/ins_01890000000070008000000000000000"),
            404,
        )
        .await;
        assert_eq!(others["code"], nobodys["code"]);
        assert_eq!(others["detail"], nobodys["detail"]);

        // Who proves it is told.
        let parameters = &claimed["onboarding"]["stack_parameters"];
        let template = owner.template().await?;
        let (account, region) = (&owner.account, &owner.region);
        town.sim
            .stack(account, region, &template, parameters)
            .await?;
        let problem = refused(stranger.post(&verify, &json!({})), 409).await;
        assert_eq!(problem["code"], "instance_claimed", "{problem}");
        assert_eq!(stranger.get(&path).await?["status"], "pending_verification");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_verification_that_is_sent_again_is_answered_again_and_not_done_again() {
    in_town(async |town| {
        let customer = registered(town).await?;
        customer.deploy(&customer.template().await?).await?;
        let verify = customer.path("/verify");
        let once = customer.rest.once("8e03978e-40d5-43e8-bc93-6894a57f9324");
        let first = once.post(&verify, &json!({})).await?;
        let again = once.post(&verify, &json!({})).await?;
        // The time of the check is in it.
        assert_eq!(first, again);
        let done = "/v1/audit-log?action=instance.verify";
        assert_eq!(list(&customer.rest.get(done).await?, "/data")?.len(), 1);
        let other = json!({ "runtime_role_arn": "arn:aws:iam::111122220001:role/other" });
        let problem = refused(once.post(&verify, &other), 422).await;
        assert_eq!(problem["code"], "idempotency_key_reused", "{problem}");
        customer.verify().await?;
        assert_eq!(list(&customer.rest.get(done).await?, "/data")?.len(), 2);
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_role_that_works_without_the_external_id_is_refused() {
    in_town(async |town| {
        let customer = registered(town).await?;
        let demand = "            Condition:\n              StringEquals: { \"sts:ExternalId\": !Ref ExternalId }\n";
        let template = customer.template().await?;
        let pieces: Vec<&str> = template.split(demand).collect();
        assert_eq!(pieces.len(), 3, "the template's condition has another form now");
        for (lax, pointer) in [
            ([pieces[0], "", pieces[1], demand, pieces[2]], "/installer_role_arn"),
            ([pieces[0], demand, pieces[1], "", pieces[2]], "/runtime_role_arn"),
        ] {
            customer.deploy(&lax.concat()).await?;
            let problem = refused(customer.verify(), 422).await;
            let faults = faults_at(&problem, pointer);
            assert!(faults.iter().any(|(code, _)| code == "external_id_not_enforced"), "{problem}");
            assert_eq!(customer.rest.get(&customer.path("")).await?["status"], "pending_verification");
        }
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_missing_permission_is_named() {
    in_town(async |town| {
        let customer = registered(town).await?;
        let template = customer.template().await?;
        for (action, pointer) in [
            ("connect:DescribeQueue", "/installer_role_arn"),
            (
                "connect:UpdateQueueOutboundCallerConfig",
                "/installer_role_arn",
            ),
            ("connect:CreateContactFlow", "/installer_role_arn"),
            ("connect:UpdateContactFlowContent", "/installer_role_arn"),
            ("connect:DeleteContactFlow", "/installer_role_arn"),
            ("connect:DescribeUser", "/installer_role_arn"),
            ("connect:DescribeRoutingProfile", "/installer_role_arn"),
            ("connect:ListRoutingProfiles", "/installer_role_arn"),
            ("connect:ListRoutingProfileQueues", "/installer_role_arn"),
            ("connect:StopContact", "/runtime_role_arn"),
            ("connect:StartTaskContact", "/runtime_role_arn"),
        ] {
            let without = template.replace(&format!("{action}\n"), "connect:ListInstances\n");
            assert_ne!(without, template, "{action} is not in the template");
            customer.deploy(&without).await?;
            let problem = refused(customer.verify(), 422).await;
            let faults = faults_at(&problem, pointer);
            let named = faults
                .iter()
                .any(|(code, detail)| code == "permission_missing" && detail.contains(action));
            assert!(named, "{action}: {problem}");
        }
        customer.deploy(&template).await?;
        assert_eq!(customer.verify().await?["status"], "verified");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_role_that_does_not_exist_is_refused() {
    in_town(async |town| {
        let customer = registered(town).await?;
        let problem = refused(customer.verify(), 422).await;
        let faults = faults_at(&problem, "/installer_role_arn");
        assert!(
            faults.iter().any(|(code, _)| code == "role_not_assumable"),
            "{problem}"
        );
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn an_instance_that_does_not_exist_is_refused() {
    in_town(async |town| {
        let rest = town.tenant("Northwind").await?;
        let mut customer = town.customer(&rest, "111122220001", "us-east-1").await?;
        customer.made.instance_arn =
            "arn:aws:connect:us-east-1:111122220001:instance/00000000-0000-4000-8000-00000000000b"
                .to_owned();
        customer.register("ghost").await?;
        customer.deploy(&customer.template().await?).await?;
        let problem = refused(customer.verify(), 422).await;
        let errors: Vec<&Value> = problem["errors"].as_array().into_iter().flatten().collect();
        assert!(
            errors
                .iter()
                .any(|error| error["code"] == "instance_not_found"),
            "{problem}"
        );
        Ok(())
    })
    .await;
}

async fn registered(town: &Town) -> Result<Customer> {
    let rest = town.tenant("Northwind").await?;
    let mut customer = town.customer(&rest, "111122220001", "us-east-1").await?;
    customer.register("northwind").await?;
    Ok(customer)
}
