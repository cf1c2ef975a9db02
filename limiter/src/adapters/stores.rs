//! The store of one's own region, and those of other regions: a tenant's shared meters live in its home region.
//!
//! A client of another region is made when it is first needed, and kept. All share one HTTP client and the same deadlines.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::Region;

pub(crate) struct Stores {
    own: Client,
    abroad: Mutex<HashMap<String, Client>>,
}

impl Stores {
    pub(crate) fn new(own: Client) -> Self {
        Self {
            own,
            abroad: Mutex::default(),
        }
    }

    /// Where no region is named, one's own.
    pub(super) fn of(&self, region: Option<&str>) -> Client {
        let own_region = self.own.config().region().map(Region::as_ref);
        let Some(region) = region.filter(|region| Some(*region) != own_region) else {
            return self.own.clone();
        };
        let mut abroad = self.abroad.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = abroad.get(region) {
            return client.clone();
        }
        let config = self.own.config().to_builder();
        let config = config.region(Region::new(region.to_owned())).build();
        let client = Client::from_conf(config);
        abroad.insert(region.to_owned(), client.clone());
        client
    }
}
