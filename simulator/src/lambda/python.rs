//! Functions whose Python code stands in a template: the machine's own interpreter, given Lambda's way of asking for events.
//!
//! The interpreter needs boto3, as Lambda's has: `RINGFENCE_PYTHON` names one, else the tests' own is looked for beside
//! this program, else `python3`.

use std::collections::BTreeMap;
use std::env;
use std::path::{Path, PathBuf};

use super::create_function::NewFunction;

const RUNTIME: &str = include_str!("python_runtime.py");

/// A function as a template describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PythonFunction {
    pub name: String,
    pub role_arn: String,
    /// Module and function, with a dot between them.
    pub handler: String,
    pub code: String,
    pub timeout_seconds: u32,
}

impl PythonFunction {
    pub fn in_place(&self, account_id: &str, region: &str) -> NewFunction {
        NewFunction {
            account_id: account_id.to_owned(),
            region: region.to_owned(),
            name: self.name.clone(),
            bootstrap: interpreter(),
            environment: BTreeMap::from([("RINGFENCE_SIM_CODE".to_owned(), self.code.clone())]),
            timeout_seconds: f64::from(self.timeout_seconds),
            concurrency: 10,
            role_arn: Some(self.role_arn.clone()),
            aliases: Vec::new(),
            arguments: vec!["-B".to_owned(), "-c".to_owned(), RUNTIME.to_owned()],
            handler: self.handler.clone(),
            freeze: true,
        }
    }
}

fn interpreter() -> PathBuf {
    let named = env::var_os("RINGFENCE_PYTHON").map(PathBuf::from);
    let me = env::current_exe().unwrap_or_default();
    let beside = me.ancestors().map(|folder| folder.join("venv/bin/python"));
    let on_path = env::var_os("PATH").unwrap_or_default();
    let on_path = env::split_paths(&on_path).map(|folder| folder.join("python3"));
    let mut candidates = named.into_iter().chain(beside).chain(on_path);
    candidates
        .find(|path| path.is_file())
        .unwrap_or_else(|| Path::new("python3").to_owned())
}
