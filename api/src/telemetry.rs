//! Logs and traces: one JSON object per line on stderr (`RUST_LOG` says how much), and spans to an OpenTelemetry
//! collector where the environment names one (`OTEL_EXPORTER_OTLP_ENDPOINT`; the SDK's other `OTEL_…` variables hold too).
//!
//! Failure: a collector that is away costs its spans and a log line, never a request.

use std::time::Duration;

use opentelemetry::global;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{ExporterBuildError, SpanExporter};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

const SERVICE_NAME: &str = "ringfence";
const DEFAULT: &str = "info";
/// What a stop may wait for the collector.
const FLUSH: Duration = Duration::from_secs(3);

/// Keeps the exporter going; [`Telemetry::finish`] sends what is left.
#[derive(Debug)]
pub struct Telemetry {
    spans: Option<SdkTracerProvider>,
}

impl Telemetry {
    pub fn start(exports_spans: bool) -> Result<Self, ExporterBuildError> {
        let spans = exports_spans.then(provider).transpose()?;
        let layer = spans.as_ref().map(|provider| {
            tracing_opentelemetry::layer()
                .with_tracer(provider.tracer(SERVICE_NAME))
                .with_filter(ours())
        });
        // Which request a line belongs to stands in its own fields.
        let lines = tracing_subscriber::fmt::layer()
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(false)
            .with_writer(std::io::stderr)
            .with_filter(filter());
        tracing_subscriber::registry()
            .with(layer)
            .with(lines)
            .init();
        if spans.is_some() {
            global::set_text_map_propagator(TraceContextPropagator::new());
        }
        log_panics();
        Ok(Self { spans })
    }

    pub fn finish(self) {
        if let Some(provider) = self.spans
            && let Err(err) = provider.shutdown_with_timeout(FLUSH)
        {
            tracing::warn!(error = %err, "the last spans were not delivered");
        }
    }
}

fn filter() -> EnvFilter {
    EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(DEFAULT))
}

/// Each request is a span, however little is logged; those of libraries are none of a request's.
fn ours() -> Targets {
    Targets::new().with_target("ringfence", LevelFilter::INFO)
}

fn provider() -> Result<SdkTracerProvider, ExporterBuildError> {
    let exporter = SpanExporter::builder().with_http().build()?;
    // `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` come after, and win.
    let resource = Resource::builder_empty()
        .with_service_name(SERVICE_NAME)
        .with_detectors(&[
            Box::new(opentelemetry_sdk::resource::EnvResourceDetector::new()),
            Box::new(opentelemetry_sdk::resource::TelemetryResourceDetector),
        ])
        .build();
    Ok(SdkTracerProvider::builder()
        .with_resource(resource)
        .with_batch_exporter(exporter)
        .build())
}

fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map(ToString::to_string)
            .unwrap_or_default();
        tracing::error!(place, "a task panicked");
    }));
}
