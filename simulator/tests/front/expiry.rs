//! Sessions end when they said they would: a simulator whose clock the test moves, which no client's SDK could.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use ringfence_simulator::clock::Clock;
use ringfence_simulator::front;
use ringfence_simulator::iam::document::Policy;
use ringfence_simulator::iam::{self, NewRole};
use ringfence_simulator::log::Log;
use ringfence_simulator::world::World;
use serde_json::json;
use tokio::net::TcpListener;

const ACCOUNT: &str = "111122223333";
const PROFILE_HOURS: u64 = 12;

#[tokio::test]
async fn a_session_is_good_until_it_expires_and_called_expired_from_then_on() {
    let world = serve().await;
    world.iam.create_account(ACCOUNT, &world.ids);
    let role = make_role(&world);
    let session = world
        .iam
        .role_credentials(&role, "tester", &world.ids, world.clock.now())
        .expect("a session");
    let second = Duration::from_secs(1);
    world
        .clock
        .advance(Duration::from_secs(PROFILE_HOURS * 3600) - second);
    for service in ["sts", "connect"] {
        let (status, body) = ask(&world, &session, service).await;
        assert_eq!(status, 200, "{service}: {body}");
    }
    world.clock.advance(second);
    let (status, body) = ask(&world, &session, "sts").await;
    assert_eq!(status, 403);
    assert!(body.contains("<Code>ExpiredToken</Code>"), "{body}");
    let (status, error) = ask(&world, &session, "connect").await;
    assert_eq!((status, error.as_str()), (403, "ExpiredTokenException"));
}

fn make_role(world: &World) -> String {
    let trust = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]});
    let everything = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "*", "Resource": "*"}]});
    let role = NewRole {
        name: "worker".to_owned(),
        trust: Policy::trust(&trust).expect("a trust policy"),
        policies: vec![Policy::identity(&everything).expect("a policy")],
        max_session_seconds: 3600,
    };
    world.iam.put_role(ACCOUNT, role, &world.ids)
}

async fn serve() -> Arc<World> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let endpoint = format!("http://{}", listener.local_addr().expect("its address"));
    let clock = Clock::manual("2026-11-25T10:00:00Z".parse().expect("a time"));
    let world = Arc::new(World::new(endpoint, clock, Log::default(), None));
    tokio::spawn(front::serve(listener, Arc::clone(&world)));
    world
}

/// Asks something that needs few rights, signed at the simulator's time: the status, and the error's name or the body.
async fn ask(world: &World, session: &iam::Credentials, service: &str) -> (u16, String) {
    let (method, path, kind, body) = match service {
        "sts" => (
            "POST",
            "/",
            "application/x-www-form-urlencoded",
            "Action=GetCallerIdentity&Version=2011-06-15",
        ),
        _ => ("GET", "/instance", "application/json", ""),
    };
    let identity = Credentials::new(
        &session.access_key_id,
        &session.secret_access_key,
        Some(session.session_token.clone()),
        None,
        "test",
    )
    .into();
    let seconds = u64::try_from(world.clock.now().as_second()).expect("a time of today");
    let since_epoch = Duration::from_secs(seconds);
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region("us-east-1")
        .name(service)
        .time(SystemTime::UNIX_EPOCH + since_epoch)
        .settings(SigningSettings::default())
        .build()
        .expect("parameters")
        .into();
    let url = format!("{}{path}", world.endpoint);
    let own = [("content-type", kind)].into_iter();
    let request = SignableRequest::new(method, &url, own, SignableBody::Bytes(body.as_bytes()));
    let (instructions, _) = sign(request.expect("signable"), &parameters)
        .expect("a signature")
        .into_parts();
    let mut request = reqwest::Client::new()
        .request(method.parse().expect("a method"), &url)
        .header("content-type", kind)
        .body(body);
    for (name, value) in instructions.headers() {
        request = request.header(name, value);
    }
    let answer = request.send().await.expect("an answer");
    let named = answer.headers().get("x-amzn-errortype").cloned();
    let status = answer.status().as_u16();
    let body = answer.text().await.expect("a body");
    let named = named.and_then(|name| name.to_str().map(str::to_owned).ok());
    (status, named.unwrap_or(body))
}
