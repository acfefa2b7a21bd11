//! Many exports as one file: a zip that is written as it is sent.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use zip::write::{SimpleFileOptions, StreamWriter};
use zip::{CompressionMethod, DateTime, ZipWriter};

use crate::Here;

/// The longest file whose length fits into a zip's own 32 bits.
const SHORT: u64 = u32::MAX as u64;

/// A zip that grows, and is whole when it is finished.
pub struct Pack<W: Write> {
    zip: ZipWriter<StreamWriter<W>>,
    options: SimpleFileOptions,
    added: BTreeSet<PathBuf>,
}

impl<W: Write> Pack<W> {
    /// An empty one.
    pub fn new(out: W, here: &Here) -> Pack<W> {
        let now = here.now.to_zoned(here.zone.clone());
        // None of these is negative, and a year that a zip can't say becomes its first.
        let small = |number: i8| u8::try_from(number).unwrap_or_default();
        let when = DateTime::from_date_and_time(
            u16::try_from(now.year()).unwrap_or_default(),
            small(now.month()),
            small(now.day()),
            small(now.hour()),
            small(now.minute()),
            small(now.second()),
        );
        let options = SimpleFileOptions::default().last_modified_time(when.unwrap_or_default());
        Pack { zip: ZipWriter::new_stream(out), options, added: BTreeSet::new() }
    }

    /// Puts in a file, or all that is in a folder, under its way from `root`: or, where another
    /// one is there by then, under that in a folder `2`, and so on.
    ///
    /// # Errors
    /// Where it can't be read, or the zip can't be written.
    pub fn add(&mut self, root: &Path, path: &Path) -> io::Result<()> {
        let way = path.strip_prefix(root).unwrap_or(path).to_owned();
        let mut free = way.clone();
        for next in 2.. {
            if self.added.insert(free.clone()) {
                break;
            }
            free = Path::new(&next.to_string()).join(&way);
        }
        self.add_as(path, &free)
    }

    fn add_as(&mut self, path: &Path, name: &Path) -> io::Result<()> {
        if path.is_dir() {
            let mut inside = fs::read_dir(path)?.collect::<io::Result<Vec<_>>>()?;
            inside.sort_by_key(fs::DirEntry::file_name);
            return inside
                .iter()
                .try_for_each(|entry| self.add_as(&entry.path(), &name.join(entry.file_name())));
        }
        let mut file = File::open(path)?;
        // What is made smaller already is only copied.
        let packed = path.extension().is_some_and(|ending| ending == "nwb" || ending == "parquet");
        let method = if packed { CompressionMethod::Stored } else { CompressionMethod::Deflated };
        let options = self.options.compression_method(method).large_file(file.metadata()?.len() >= SHORT);
        self.zip.start_file_from_path(name, options)?;
        io::copy(&mut file, &mut self.zip)?;
        Ok(())
    }

    /// Writes what makes it whole.
    ///
    /// # Errors
    /// Where it can't be written.
    pub fn finish(self) -> io::Result<()> {
        self.zip.finish()?.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use jiff::Timestamp;
    use jiff::tz::TimeZone;

    use super::*;

    #[test]
    fn what_is_packed_comes_out_under_its_way_from_the_root() {
        let folder = tempfile::tempdir().unwrap();
        let inside = folder.path().join("M001/0001");
        fs::create_dir_all(&inside).unwrap();
        fs::write(inside.join("trials.csv"), "trial\n1\n").unwrap();
        fs::write(folder.path().join("a.nwb"), "not smaller").unwrap();
        let here = Here { lab: Default::default(), zone: TimeZone::UTC, now: Timestamp::UNIX_EPOCH };
        let mut bytes = Vec::new();
        let mut pack = Pack::new(&mut bytes, &here);
        pack.add(folder.path(), &folder.path().join("a.nwb")).unwrap();
        pack.add(folder.path(), &folder.path().join("M001")).unwrap();
        pack.add(folder.path(), &folder.path().join("M001")).unwrap();
        pack.finish().unwrap();
        let mut zip = zip::ZipArchive::new(io::Cursor::new(bytes)).unwrap();
        let mut text = String::new();
        zip.by_name("M001/0001/trials.csv").unwrap().read_to_string(&mut text).unwrap();
        assert_eq!((zip.len(), text.as_str()), (3, "trial\n1\n"));
        zip.by_name("2/M001/0001/trials.csv").expect("what has the same name is there too");
    }
}
