//! The operations of one list. Both lists have the same, and only names and words differ: those are given here, once for
//! each list, so that a change of an operation is a change of both.

/// Makes a list's handlers, each with its path, its id in the API's description and its own words.
macro_rules! operations {
    (
        $list:ident, tag = $tag:tt, all = $all:tt, one = $one:tt, many = $many:tt,
        $(#[$create:meta])* create = $create_id:tt,
        $(#[$list_all:meta])* list = $list_id:tt,
        $(#[$get:meta])* get = $get_id:tt,
        $(#[$remove:meta])* remove = $remove_id:tt,
        $(#[$import:meta])* import = $import_id:tt,
    ) => {
        use axum::Json;
        use axum::http::StatusCode;

        use crate::auth::{EditNumbers, View};
        use crate::domain::ids::EntryId;
        use crate::domain::listed_number::List;
        use crate::http::body::Body;
        use crate::http::caller::Caller;
        use crate::http::once::OnceResult;
        use crate::http::path::Id;
        use crate::http::problem::ApiResult;
        use crate::http::query::Query;
        use crate::http::v1::numbers::body::{ListedNumberBody, NewListedNumber};
        use crate::http::v1::numbers::import::{CsvBody, Imported};
        use crate::http::v1::numbers::list::ListedNumberList;
        use crate::http::v1::numbers::{add, get as found, import as rows, list as page, remove as off};

        $(#[$create])*
        #[utoipa::path(
            post, path = $all, operation_id = $create_id, tag = $tag,
            security(("bearer" = [EditNumbers::NAME])),
            extensions(("x-errors" = json!(["number_listed", "quota_exceeded"]))),
            request_body = NewListedNumber, responses((status = 201, body = ListedNumberBody))
        )]
        pub(in crate::http) async fn create(
            caller: Caller<EditNumbers>,
            Body(new): Body<NewListedNumber>,
        ) -> OnceResult {
            add::add(&caller, List::$list, new.into()).await
        }

        $(#[$list_all])*
        ///
        /// What has expired is shown for another seven days.
        #[utoipa::path(
            get, path = $all, operation_id = $list_id, tag = $tag,
            security(("bearer" = [View::NAME])),
            params(
                ("number" = Option<String>, Query, description = "In E.164; the + may be left out", example = "+12065550100"),
                ("limit" = Option<u32>, Query), ("cursor" = Option<String>, Query),
            ),
            responses((status = 200, body = ListedNumberList))
        )]
        pub(in crate::http) async fn list(
            caller: Caller<View>,
            query: Query,
        ) -> ApiResult<Json<ListedNumberList>> {
            page::list(&caller, List::$list, query).await
        }

        $(#[$get])*
        #[utoipa::path(
            get, path = $one, operation_id = $get_id, tag = $tag,
            security(("bearer" = [View::NAME])),
            params(("id" = String, Path)), responses((status = 200, body = ListedNumberBody))
        )]
        pub(in crate::http) async fn get(
            caller: Caller<View>,
            Id(id): Id<EntryId>,
        ) -> ApiResult<Json<ListedNumberBody>> {
            found::get(&caller, List::$list, id).await
        }

        $(#[$remove])*
        #[utoipa::path(
            delete, path = $one, operation_id = $remove_id, tag = $tag,
            security(("bearer" = [EditNumbers::NAME])),
            params(("id" = String, Path)), responses((status = 204))
        )]
        pub(in crate::http) async fn remove(
            caller: Caller<EditNumbers>,
            Id(id): Id<EntryId>,
        ) -> ApiResult<StatusCode> {
            off::remove(&caller, List::$list, id).await
        }

        $(#[$import])*
        ///
        /// A CSV document, at most 50 000 rows and 16 MiB, whose first line names its columns: `number`, `reason` and, if wanted,
        /// `expires_at`. All rows are taken or none: every fault is told, its pointer naming line and column (`/17/number`). A
        /// number that is in this list already gets the row's reason and expiry, so that sending a document again changes
        /// nothing.
        #[utoipa::path(
            post, path = $many, operation_id = $import_id, tag = $tag,
            security(("bearer" = [EditNumbers::NAME])),
            extensions(("x-errors" = json!(["number_listed", "quota_exceeded"]))),
            request_body(
                content = String, content_type = "text/csv",
                example = "number,reason,expires_at\n+12065550100,Asked not to be called,\n+442079460000,Court order,2027-01-01T00:00:00Z\n",
            ),
            responses((status = 200, body = Imported))
        )]
        pub(in crate::http) async fn import(
            caller: Caller<EditNumbers>,
            CsvBody(document): CsvBody,
        ) -> OnceResult {
            rows::import(&caller, List::$list, &document).await
        }
    };
}

/// Numbers that rules skip: calls to them go out, and are not counted.
pub(super) mod exemptions {
    operations! {
        Exemption, tag = "exemptions",
        all = "/v1/exemptions", one = "/v1/exemptions/{id}", many = "/v1/exemptions/import",
        /// Exempt a number
        ///
        /// No rule denies calls to it, and they are not counted, until the entry expires or is removed. A number can be in one of the
        /// two lists only.
        create = "exemptions_create",
        /// List exempt numbers, newest first
        list = "exemptions_list",
        /// One exempt number
        get = "exemptions_get",
        /// Take a number off the exemptions
        remove = "exemptions_remove",
        /// Exempt many numbers
        import = "exemptions_import",
    }
}

/// Numbers that are never called.
pub(super) mod blocks {
    operations! {
        Block, tag = "blocks",
        all = "/v1/blocks", one = "/v1/blocks/{id}", many = "/v1/blocks/import",
        /// Block a number
        ///
        /// Calls to it are denied, whatever the rules say, until the entry expires or is removed. Emergency numbers go out all the
        /// same. A number can be in one of the two lists only.
        create = "blocks_create",
        /// List blocked numbers, newest first
        list = "blocks_list",
        /// One blocked number
        get = "blocks_get",
        /// Take a number off the blocks
        remove = "blocks_remove",
        /// Block many numbers
        import = "blocks_import",
    }
}
