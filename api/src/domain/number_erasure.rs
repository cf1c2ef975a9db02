//! What an erasure of a number leaves.

use super::words::words;

words! {
    /// What holds the number and stays.
    Kept {
        /// What the audit log says of listing it: the log is only added to.
        AuditLog => "audit_log",
        /// Its entry among the exemptions or blocks.
        Listing => "listing",
        /// That it was taken off its list: a table of limiters that is set back is told so again.
        RemovedListing => "removed_listing",
        /// Meters of rules that count per caller id, because other customers' limits hang on them.
        CallerIdMeters => "caller_id_meters",
        /// Meters of rules that count per customer and contact attribute, which cannot be named.
        AttributeMeters => "attribute_meters",
    }
}
