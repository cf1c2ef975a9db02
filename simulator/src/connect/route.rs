//! Which operation a request of Amazon Connect's REST protocol means.

/// An operation and the decoded labels of its path.
#[derive(Debug, PartialEq, Eq)]
pub struct Route {
    pub operation: &'static str,
    pub labels: Vec<String>,
}

/// Method, path pattern (`*` is a label), operation.
const ROUTES: &[(&str, &str, &str)] = &[
    ("GET", "/instance/*", "DescribeInstance"),
    ("GET", "/instance", "ListInstances"),
    ("GET", "/contact-flows-summary/*", "ListContactFlows"),
    ("POST", "/search-contact-flows", "SearchContactFlows"),
    ("PUT", "/contact-flows/*", "CreateContactFlow"),
    ("GET", "/contact-flows/*/*", "DescribeContactFlow"),
    (
        "POST",
        "/contact-flows/*/*/content",
        "UpdateContactFlowContent",
    ),
    (
        "POST",
        "/contact-flows/*/*/metadata",
        "UpdateContactFlowMetadata",
    ),
    ("POST", "/contact-flows/*/*/name", "UpdateContactFlowName"),
    ("DELETE", "/contact-flows/*/*", "DeleteContactFlow"),
    (
        "PUT",
        "/contact-flows/*/*/version",
        "CreateContactFlowVersion",
    ),
    ("POST", "/tags/*", "TagResource"),
    ("DELETE", "/tags/*", "UntagResource"),
    ("GET", "/tags/*", "ListTagsForResource"),
    ("GET", "/queues-summary/*", "ListQueues"),
    ("GET", "/queues/*/*", "DescribeQueue"),
    (
        "POST",
        "/queues/*/*/outbound-caller-config",
        "UpdateQueueOutboundCallerConfig",
    ),
    ("POST", "/phone-number/list", "ListPhoneNumbersV2"),
    ("GET", "/users-summary/*", "ListUsers"),
    ("GET", "/users/*/*", "DescribeUser"),
    ("GET", "/routing-profiles-summary/*", "ListRoutingProfiles"),
    ("GET", "/routing-profiles/*/*", "DescribeRoutingProfile"),
    (
        "GET",
        "/routing-profiles/*/*/queues",
        "ListRoutingProfileQueues",
    ),
    (
        "GET",
        "/hours-of-operations/*/*",
        "DescribeHoursOfOperation",
    ),
    ("POST", "/contact/stop", "StopContact"),
    ("PUT", "/contact/task", "StartTaskContact"),
    ("GET", "/contacts/*/*", "DescribeContact"),
];

/// `path` is as sent, still percent-encoded: a label may hold encoded slashes.
pub fn resolve(method: &str, path: &str) -> Option<Route> {
    let segments: Vec<&str> = path
        .trim_start_matches('/')
        .trim_end_matches('/')
        .split('/')
        .collect();
    ROUTES
        .iter()
        .filter(|(route_method, ..)| *route_method == method)
        .find_map(|(_, pattern, operation)| {
            let pattern: Vec<&str> = pattern.trim_start_matches('/').split('/').collect();
            let fits = pattern.len() == segments.len()
                && pattern
                    .iter()
                    .zip(&segments)
                    .all(|(pattern, segment)| match *pattern {
                        "*" => !segment.is_empty(),
                        literal => literal == *segment,
                    });
            let labels = || {
                pattern
                    .iter()
                    .zip(&segments)
                    .filter(|(pattern, _)| **pattern == "*")
                    .map(|(_, segment)| decode(segment))
            };
            fits.then(|| Route {
                operation,
                labels: labels().collect(),
            })
        })
}

/// Percent-decoding; `+` is itself in a path.
pub fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = text
            .get(at + 1..at + 3)
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (bytes[at], hex) {
            (b'%', Some(byte)) => {
                decoded.push(byte);
                at += 3;
            }
            (byte, _) => {
                decoded.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_decoded_after_the_path_is_split() {
        let route = resolve("GET", "/contact-flows/i-1/f-1%3A%24SAVED").expect("route");
        assert_eq!(
            (route.operation, route.labels),
            (
                "DescribeContactFlow",
                vec!["i-1".to_owned(), "f-1:$SAVED".to_owned()]
            )
        );
        let route = resolve(
            "POST",
            "/tags/arn%3Aaws%3Aconnect%3Ar%3Aa%3Ainstance%2Fi%2Fcontact-flow%2Ff",
        )
        .expect("route");
        assert_eq!(
            (route.operation, route.labels[0].as_str()),
            (
                "TagResource",
                "arn:aws:connect:r:a:instance/i/contact-flow/f"
            )
        );
        assert_eq!(
            resolve("POST", "/contact/stop").map(|route| route.operation),
            Some("StopContact")
        );
        assert_eq!(resolve("GET", "/contact/stop"), None);
        assert_eq!(
            resolve("PUT", "/contact-flows/i/f/version").map(|route| route.operation),
            Some("CreateContactFlowVersion")
        );
        assert_eq!(resolve("GET", "/contact-flows/i/"), None);
    }
}
