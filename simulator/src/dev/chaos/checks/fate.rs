//! What should have become of a queue, by what docs/installation.md says. Pure.

use super::super::script::Request;
use super::super::site::Site;

#[derive(Debug, PartialEq, Eq)]
pub enum Fate<'a> {
    /// It runs ours, which goes on to this whisper of the customer's, to the default, or straight to the dialling.
    Limited(Option<&'a str>),
    /// The whisper that it had is gone: it runs ours, or was never touched and names what is gone.
    LimitedSomehow,
    AsItWas,
}

pub fn fate<'a>(site: &Site, request: &Request, place: usize, wanted: Option<&'a str>) -> Fate<'a> {
    if !request.covers(place) {
        return Fate::AsItWas;
    }
    let own = wanted.filter(|flow| *flow != site.default_outbound());
    let Some(own) = own.filter(|_| request.existing_whisper != "replace") else {
        return Fate::Limited(None);
    };
    let is_choosable = site.is_choosable(own);
    let is_merged = request.existing_whisper == "merge" && !site.bloated.contains(own);
    match (is_merged, is_choosable) {
        (true, _) if !site.gone.contains(own) => Fate::Limited(Some(own)),
        (false, true) => Fate::AsItWas,
        _ => Fate::LimitedSomehow,
    }
}
