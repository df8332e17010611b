//! The directory in which the service itself puts backups.

use std::fs::File;
use std::path::{Path, PathBuf};

use super::Backup;
use crate::error::StoreError;
use crate::options::make_private_dir;
use crate::store::Store;

impl Store {
    /// Where backups are put that the service makes.
    pub fn backup_directory(&self) -> PathBuf {
        let options = self.options();
        options.backup_dir.clone().unwrap_or_else(|| options.data_dir.join("backups"))
    }

    /// Writes a backup into that directory. One of this name that is there
    /// was left by an earlier try. Returns its size in bytes, too.
    ///
    /// # Errors
    /// [`StoreError::Backup`] when it cannot be written.
    pub async fn backup_to_shelf(
        &self,
        name: &str,
        progress: impl FnMut(u64, u64),
    ) -> Result<(Backup, u64), StoreError> {
        let path = self.on_shelf(name)?;
        let directory = self.backup_directory();
        make_private_dir(&directory).map_err(|e| StoreError::io("making", &directory, &e))?;
        self.forget_backup(name)?;
        let report = self.backup(&path, progress).await?;
        let size = std::fs::metadata(&path).map_err(|e| StoreError::io("looking at", &path, &e))?.len();
        Ok((report, size))
    }

    /// The file of a backup; `None`: it is not there.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn open_backup(&self, name: &str) -> Result<Option<File>, StoreError> {
        let path = self.on_shelf(name)?;
        match File::open(&path) {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(StoreError::io("opening", &path, &error)),
        }
    }

    /// Takes a backup away; whether there was one.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn forget_backup(&self, name: &str) -> Result<bool, StoreError> {
        remove(&self.on_shelf(name)?)
    }

    /// Takes away what was left of a backup that was cut short; whether there
    /// was any.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn forget_partial(&self, name: &str) -> Result<bool, StoreError> {
        let path = self.on_shelf(name)?;
        remove(&super::file::partial(&path))
    }

    /// Nothing but a plain name leads anywhere.
    fn on_shelf(&self, name: &str) -> Result<PathBuf, StoreError> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
        if name.is_empty() || name.starts_with('.') || name.len() > 200 || !name.bytes().all(plain) {
            return Err(StoreError::Backup("that is no name of a backup".into()));
        }
        Ok(self.backup_directory().join(name))
    }
}

fn remove(path: &Path) -> Result<bool, StoreError> {
    match std::fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(StoreError::io("removing", path, &error)),
    }
}
