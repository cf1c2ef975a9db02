//! What limiters say in their own log about contacts for which something could not be written.
//!
//! A limiter that says so is believed: what followed for that contact is then not held against it. Keeping silent about
//! a failure is no excuse.

use std::collections::HashSet;
use std::sync::{Mutex, Once};

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

static CONFESSED: Mutex<Option<HashSet<String>>> = Mutex::new(None);

/// From here on, this process listens.
pub fn listen() {
    static LISTENING: Once = Once::new();
    LISTENING.call_once(|| {
        *CONFESSED.lock().unwrap() = Some(HashSet::new());
        let warnings = tracing_subscriber::registry().with(Listener);
        tracing::subscriber::set_global_default(warnings).unwrap();
    });
}

pub fn heard_of(contact_id: &str) -> bool {
    let confessed = CONFESSED.lock().unwrap();
    confessed
        .as_ref()
        .is_some_and(|confessed| confessed.contains(contact_id))
}

struct Listener;

impl<S: Subscriber> Layer<S> for Listener {
    fn enabled(&self, metadata: &tracing::Metadata<'_>, _: Context<'_, S>) -> bool {
        *metadata.level() <= Level::WARN && metadata.target().starts_with("ringfence_limiter")
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut contact = ContactId(None);
        event.record(&mut contact);
        if let (Some(contact), Some(confessed)) = (contact.0, CONFESSED.lock().unwrap().as_mut()) {
            confessed.insert(contact);
        }
    }
}

struct ContactId(Option<String>);

impl Visit for ContactId {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "contact_id" {
            self.0 = Some(value.to_owned());
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() == "contact_id" {
            self.0 = Some(format!("{value:?}").trim_matches('"').to_owned());
        }
    }
}
