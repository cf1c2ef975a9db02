//! Lists that Amazon Connect gives out page by page, every page in its turn.
//!
//! Failure: half a list is never answered, and neither is one whose pages do not end.

use std::future::Future;

use super::connect::SdkConnectInstance;
use super::error::AwsError;

/// The largest that every list takes.
pub(super) const PAGE_SIZE: i32 = 100;

impl SdkConnectInstance {
    /// All pages. `page` asks for the one behind a token, and for the first without; `next` reads the token of the one
    /// after it.
    pub(super) async fn pages<P, F, Fut>(
        &self,
        action: &'static str,
        page: F,
        next: fn(&P) -> Option<&str>,
    ) -> Result<Vec<P>, AwsError>
    where
        F: Fn(Option<String>) -> Fut + Send + Sync,
        Fut: Future<Output = Result<P, AwsError>> + Send,
        P: Send + Sync,
    {
        let mut pages = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let found = self.paced(action, || page(token.clone())).await?;
            let following = next(&found).map(str::to_owned);
            pages.push(found);
            if following.is_none() {
                return Ok(pages);
            }
            if following == token {
                let message = "the list does not end: the same page comes again and again";
                return Err(AwsError::transient(action, message));
            }
            token = following;
        }
    }
}
