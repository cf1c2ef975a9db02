//! Where our binaries are and where a run may write.

use std::env;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::{DevError, Result};

/// The folder of the binaries under test; the folder beside it takes what a run writes.
#[derive(Debug, Clone)]
pub struct Places {
    bin: PathBuf,
    work: PathBuf,
}

impl Places {
    /// `RINGFENCE_BIN_DIR`, or the folder that this program itself stands in.
    pub fn find() -> Result<Self> {
        let bin = match env::var_os("RINGFENCE_BIN_DIR") {
            Some(folder) => PathBuf::from(folder),
            None => {
                let me =
                    env::current_exe().map_err(DevError::io("finding this program's folder"))?;
                let folder = me.parent().unwrap_or(Path::new("."));
                // Test programs stand one folder below the binaries.
                match folder.ends_with("deps") {
                    true => folder.parent().unwrap_or(folder).to_owned(),
                    false => folder.to_owned(),
                }
            }
        };
        let bin = bin.canonicalize().map_err(DevError::io(format!(
            "the binaries' folder {}",
            bin.display()
        )))?;
        let work = bin.parent().unwrap_or(&bin).join("ringfence-dev");
        Ok(Self { bin, work })
    }

    pub fn binary(&self, name: &str) -> Result<PathBuf> {
        let path = self.bin.join(name);
        if path.is_file() {
            return Ok(path);
        }
        Err(DevError::Missing(format!(
            "{} is not built: run `cargo build`, or name its folder in RINGFENCE_BIN_DIR",
            path.display()
        )))
    }

    pub fn work(&self) -> &Path {
        &self.work
    }

    /// A folder for one run's logs, removed with the value unless `RINGFENCE_KEEP_LOGS` is set.
    pub fn run_folder(&self) -> Result<TempDir> {
        std::fs::create_dir_all(&self.work)
            .map_err(DevError::io(format!("making {}", self.work.display())))?;
        let mut folder = TempDir::with_prefix_in("run-", &self.work)
            .map_err(DevError::io("making the run's folder"))?;
        if env::var_os("RINGFENCE_KEEP_LOGS").is_some() {
            folder.disable_cleanup(true);
            eprintln!("logs: {}", folder.path().display());
        }
        Ok(folder)
    }
}
