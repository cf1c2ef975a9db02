//! The commands that do one thing and end.

use std::io::Write as _;

use ringfence_api::auth::keys::NewKey;
use ringfence_api::clock::{Clock, IdSource};
use ringfence_api::config;
use ringfence_api::domain::ids::OperatorKeyId;
use ringfence_api::http::openapi;
use ringfence_api::store::{Change, Patience, Store};

use super::CommandError;
use super::base::{Seeds as _, seeds};

fn database() -> Result<Store, CommandError> {
    let url = config::database_url(config::from_process)?;
    Ok(Store::connect_lazily(url.reveal())?)
}

pub async fn migrate(app_role: Option<&str>) -> Result<(), CommandError> {
    let store = database()?;
    store.migrate(app_role, Patience::default()).await?;
    store.close().await;
    Ok(())
}

pub async fn token() -> Result<(), CommandError> {
    let store = database()?;
    let clock = Clock::system();
    let ids = IdSource::new(clock.clone(), seeds()?.random_seed());
    let key = NewKey::operator(&ids);
    let mut tx = store.system("an operator key belongs to no tenant").await?;
    let id = OperatorKeyId(ids.uuid());
    tx.operator_key_insert(id, &key.sha256(), clock.now())
        .await?;
    tx.audit_append(None, &made_at_console(&ids, &clock, id))
        .await?;
    tx.commit().await?;
    store.close().await;
    writeln!(std::io::stdout(), "{}", key.reveal())?;
    Ok(())
}

fn made_at_console(ids: &IdSource, clock: &Clock, id: OperatorKeyId) -> Change {
    Change {
        id: ids.uuid(),
        at: clock.now(),
        actor: "console".to_owned(),
        action: "operator_key.create",
        target: id.to_string(),
        before: None,
        after: None,
        request_id: None,
        ip: None,
    }
}

/// On stdout what is in effect, on stderr what is wrong.
pub fn config_check() -> Result<(), CommandError> {
    let check = config::check(config::from_process, config::names_of_process());
    let mut stdout = std::io::stdout();
    for (variable, is_set) in &check.known {
        let state = if *is_set { "set" } else { "default" };
        writeln!(stdout, "{variable:<40} {state}")?;
    }
    for variable in &check.unknown {
        writeln!(stdout, "{variable:<40} means nothing here: is it misspelt?")?;
    }
    check.outcome?;
    if !check.unknown.is_empty() {
        return Err(CommandError::UnknownSettings(check.unknown.len()));
    }
    writeln!(stdout, "the settings are complete")?;
    Ok(())
}

pub fn openapi() -> Result<(), CommandError> {
    std::io::stdout().write_all(openapi::text().as_bytes())?;
    Ok(())
}
