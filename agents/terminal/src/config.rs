//! Where the data are and where pilots are listened for: the command line, then
//! the environment, then the configuration file, then what is usual.

use std::path::{Path, PathBuf};

use bramble_config::ConfigError;
use bramble_export::Lab;
use bramble_link::Endpoint;
use bramble_settings::{AlertsFile, KEYS, TerminalFile, WebFile, WebhookFile, place};
use bramble_value::Name;

/// The folder of tasks where none is named.
const USUAL_TASKS: &str = "tasks";

/// Everything that is settled before a command runs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Settings {
    /// The data folder, as an absolute path.
    pub(crate) data: PathBuf,
    /// Where pilots are listened for.
    pub(crate) listen: Endpoint,
    /// This terminal's name.
    pub(crate) name: Name,
    /// Whose data these are, for exports.
    pub(crate) lab: Lab,
    /// The page, with absolute paths.
    pub(crate) web: WebFile,
    /// What people are told of, with absolute paths.
    pub(crate) alerts: AlertsFile,
    /// The configuration file's text, for the records of sessions; none where there is none.
    pub(crate) text: Option<String>,
}

impl Settings {
    /// The settings from a configuration file (what was set up or the example, where it is
    /// there and none is named) and what the command line says instead of it.
    ///
    /// # Errors
    /// Where the file can't be read, or says what can't be understood.
    pub(crate) fn read(
        config: Option<&Path>,
        data: Option<&Path>,
        listen: Option<&Endpoint>,
    ) -> Result<Settings, ConfigError> {
        let path = config.map(Path::to_owned).or_else(|| place::found("terminal"));
        let config = path.as_deref().map(bramble_config::read::<TerminalFile>).transpose()?;
        let in_file = config.as_ref().and_then(|config| Some(config.path(config.settings.data.as_ref()?)));
        let data = data.map(Path::to_owned).or(in_file).unwrap_or_else(usual_data);
        let mut web = config.as_ref().map(|config| config.settings.web.clone()).unwrap_or_default();
        let mut alerts = config.as_ref().map(|config| config.settings.alerts.clone()).unwrap_or_default();
        if let Some(config) = &config {
            let paths = [&mut web.certificate, &mut web.key, &mut web.tasks];
            let paths = paths.into_iter().chain(alerts.webhook.iter_mut().flat_map(WebhookFile::paths));
            paths.flatten().for_each(|path| *path = absolute(config.path(path)));
        }
        let (file, text) = config.map(|config| (config.settings, config.text)).unzip();
        let file: TerminalFile = file.unwrap_or_default();
        Ok(Settings {
            data: absolute(data),
            listen: listen.cloned().unwrap_or_else(|| file.listen()),
            name: file.name(),
            lab: file.lab,
            web,
            alerts,
            text,
        })
    }

    /// The socket of the HTTP API.
    pub(crate) fn socket(&self) -> PathBuf {
        self.data.join("terminal.sock")
    }

    /// The socket for pilots of the same user on this computer.
    pub(crate) fn swarm_socket(&self) -> PathBuf {
        self.data.join("swarm.sock")
    }

    /// The folder of tasks and protocols: `tasks` where this was started, or in the data folder,
    /// where the file doesn't say.
    pub(crate) fn tasks(&self) -> PathBuf {
        let here = || absolute(PathBuf::from(USUAL_TASKS));
        let usual = || Some(here()).filter(|folder| folder.is_dir());
        self.web.tasks.clone().or_else(usual).unwrap_or_else(|| self.data.join(USUAL_TASKS))
    }

    /// The folder of the swarm's keys.
    pub(crate) fn keys(&self) -> PathBuf {
        self.data.join(KEYS)
    }
}

fn absolute(path: PathBuf) -> PathBuf {
    // Only a process without a current folder can't make a path absolute.
    std::path::absolute(&path).unwrap_or(path)
}

/// The data folder where nothing else is said: `~/bramble`.
fn usual_data() -> PathBuf {
    std::env::home_dir().unwrap_or_default().join("bramble")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("terminal.toml");
        std::fs::write(&path, text).unwrap();
        (folder, path)
    }

    #[test]
    fn a_data_folder_is_relative_to_the_file_that_names_it() {
        let (folder, path) = file("data = \"lab\"\nlisten = \"tcp://127.0.0.1:7000\"");
        let settings = Settings::read(Some(&path), None, None).unwrap();
        assert_eq!(settings.data, folder.path().join("lab"));
        assert_eq!(settings.listen.to_string(), "tcp://127.0.0.1:7000");
    }

    #[test]
    fn the_command_line_goes_before_the_file() {
        let (_folder, path) = file("data = \"lab\"");
        let settings = Settings::read(Some(&path), Some(Path::new("/elsewhere")), None).unwrap();
        assert_eq!(settings.data, Path::new("/elsewhere"));
    }

    #[test]
    fn the_shipped_configuration_says_what_is_usual() {
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/terminal.toml");
        let (_folder, empty) = file("");
        let said = |path: &Path| Settings { text: None, ..Settings::read(Some(path), None, None).unwrap() };
        assert_eq!(said(&shipped), said(&empty));
    }
}
