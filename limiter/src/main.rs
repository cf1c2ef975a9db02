//! The function's process: settings, clients, and then one invocation after another.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use lambda_runtime::{Error, LambdaEvent, service_fn};
use ringfence_limiter::adapters::Aws;
use ringfence_limiter::{Answer, Clock, EventError, Limiter, Settings, SystemClock};
use serde_json::Value;

/// A decision makes some thousands of small allocations, most of them in the SDK.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_max_level(Settings::log_level())
        .with_current_span(false)
        .init();
    // A panic's own text may quote what was dialled; where it happened is enough.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        tracing::error!(place, "panicked");
    }));
    let settings = Settings::from_environment()?;
    let clock = Arc::new(SystemClock);
    let limiter =
        Limiter::new(settings, Aws::from_environment(), clock.clone()).measured_by(written_out);
    limiter.get_ready().await;
    let (limiter, clock) = (&limiter, clock.as_ref());
    // The runtime's own tracing layer is left out: nothing here needs a span per request.
    lambda_runtime::Runtime::new(service_fn(move |event: LambdaEvent<Value>| {
        answer(limiter, clock, event)
    }))
    .run()
    .await
}

/// The log is standard output; a line that cannot be written is no reason to fail a call.
fn written_out(line: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

async fn answer(
    limiter: &Limiter,
    clock: &SystemClock,
    event: LambdaEvent<Value>,
) -> Result<Answer, Malformed> {
    let left_ms = i64::try_from(event.context.deadline)
        .unwrap_or(i64::MAX)
        .saturating_sub(clock.now().as_millisecond());
    let remaining = Duration::from_millis(u64::try_from(left_ms).unwrap_or(0));
    limiter
        .handle(event.payload, remaining)
        .await
        .map_err(Malformed)
}

/// Told to Lambda by a name that does not change with the code.
#[derive(Debug)]
struct Malformed(EventError);

impl From<Malformed> for lambda_runtime::Diagnostic {
    fn from(Malformed(err): Malformed) -> Self {
        Self {
            error_type: "MalformedEvent".to_owned(),
            error_message: err.to_string(),
        }
    }
}
