//! A function for the simulator's own tests: speaks the Lambda Runtime API over plain HTTP and does what its event says.
//!
//! The event's `do` (or, from a flow, its parameter `do`) is one of: `echo`, `identity`, `sleep MS`, `fail N` (report
//! an error for the first N events of this process), `crash`, `big BYTES`, `nested`, `raw TEXT`.

use std::env;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

fn main() -> io::Result<()> {
    let api = env::var("AWS_LAMBDA_RUNTIME_API").map_err(io::Error::other)?;
    if env::var("ECHO_INIT").as_deref() == Ok("crash") {
        process::exit(7);
    }
    println!("cold start");
    for count in 1_u64.. {
        let (headers, event) = exchange(&api, "GET", "/2018-06-01/runtime/invocation/next", "")?;
        let header = |name: &str| {
            headers
                .iter()
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.clone())
                .unwrap_or_default()
        };
        let id = header("lambda-runtime-aws-request-id");
        let event: Value = serde_json::from_str(&event)?;
        let wanted = event
            .pointer("/Details/Parameters/do")
            .or(event.get("do"))
            .and_then(Value::as_str)
            .unwrap_or("echo");
        let (verb, argument) = wanted.split_once(' ').unwrap_or((wanted, ""));
        let number: u64 = argument.parse().unwrap_or(0);
        let (path, answer) = match verb {
            "sleep" => {
                thread::sleep(Duration::from_millis(number));
                ("response", json!({"Slept": argument}).to_string())
            }
            "fail" if count <= number => (
                "error",
                json!({"errorType": "Told", "errorMessage": "to fail"}).to_string(),
            ),
            "fail" => ("response", json!({"Count": count.to_string()}).to_string()),
            "crash" => process::exit(3),
            "big" => (
                "response",
                json!({"a": "x".repeat(usize::try_from(number).unwrap_or(0))}).to_string(),
            ),
            "nested" => ("response", json!({"a": {"b": "c"}}).to_string()),
            "raw" => ("response", argument.to_owned()),
            "identity" => (
                "response",
                identity(
                    count,
                    &header("lambda-runtime-invoked-function-arn"),
                    &header("lambda-runtime-deadline-ms"),
                )
                .to_string(),
            ),
            _ => ("response", json!({"Event": event.to_string()}).to_string()),
        };
        eprintln!("event {count}: {verb}");
        exchange(
            &api,
            "POST",
            &format!("/2018-06-01/runtime/invocation/{id}/{path}"),
            &answer,
        )?;
    }
    Ok(())
}

fn identity(count: u64, arn: &str, deadline: &str) -> Value {
    let variable = |name: &str| env::var(name).unwrap_or_default();
    json!({
        "Pid": process::id().to_string(),
        "Count": count.to_string(),
        "FunctionArn": arn,
        "Deadline": deadline,
        "Region": variable("AWS_REGION"),
        "Name": variable("AWS_LAMBDA_FUNCTION_NAME"),
        "Endpoint": variable("AWS_ENDPOINT_URL"),
        "Session": (!variable("AWS_SESSION_TOKEN").is_empty()).to_string(),
        "Own": variable("OWN"),
    })
}

fn exchange(
    api: &str,
    method: &str,
    path: &str,
    body: &str,
) -> io::Result<(Vec<(String, String)>, String)> {
    let mut stream = TcpStream::connect(api)?;
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nhost: {api}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
    )?;
    let mut reader = BufReader::new(stream);
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':') {
            headers.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    let mut answer = String::new();
    reader.read_to_string(&mut answer)?;
    Ok((headers, answer))
}
