//! The tree of stages by their names: what `goto` and `since` lead to.

use bramble_value::Name;

use crate::definition::StageId;
use crate::mistake::{did_you_mean, one_of};
use crate::sandbox::Problem;

/// The names of all stages.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outline {
    pub(crate) stages: Vec<Outlined>,
}

/// One stage's name and place in the tree.
#[derive(Debug, Clone)]
pub(crate) struct Outlined {
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) parent: Option<StageId>,
    /// Whether it is a `states`.
    pub(crate) is_states: bool,
    pub(crate) children: Vec<StageId>,
}

impl Outline {
    pub(crate) fn get(&self, stage: StageId) -> Option<&Outlined> {
        self.stages.get(stage.index())
    }

    /// Gives every stage a path: its name where that is unique, else with its
    /// parents' before it.
    pub(crate) fn name_paths(&mut self) {
        let paths: Vec<String> = (0..self.stages.len())
            .map(|place| {
                let name = &self.stages[place].name;
                if self.stages.iter().filter(|stage| stage.name == *name).count() == 1 {
                    return name.clone();
                }
                let mut names = vec![name.as_str()];
                let mut parent = self.stages[place].parent;
                while let Some(above) = parent.and_then(|above| self.get(above)) {
                    names.push(&above.name);
                    parent = above.parent;
                }
                names.reverse();
                names.join("/")
            })
            .collect();
        for (stage, path) in self.stages.iter_mut().zip(paths) {
            stage.path = path;
        }
    }

    /// The `states` that a `goto` of this stage moves in, and the child of it
    /// that the stage is or is in.
    pub(crate) fn scope(&self, stage: StageId) -> Option<(StageId, StageId)> {
        let mut child = stage;
        while let Some(parent) = self.get(child)?.parent {
            if self.get(parent)?.is_states {
                return Some((parent, child));
            }
            child = parent;
        }
        None
    }

    /// The stage that `goto(name)` leads to from this one.
    pub(crate) fn goto(&self, from: StageId, name: &str) -> Result<StageId, Problem> {
        let Some((states, _)) = self.scope(from) else {
            let problem = Problem::new("`goto` has nowhere to go: the stage is not in a `states`");
            return Err(
                problem.help("put the stage and where it leads into states(...), or end it with `next`")
            );
        };
        let children = &self.stages[states.index()].children;
        let names = || children.iter().map(|child| self.stages[child.index()].name.as_str());
        if let Some(place) = names().position(|known| known == name) {
            return Ok(children[place]);
        }
        let elsewhere = self.stages.iter().any(|stage| stage.name == name);
        let help = if elsewhere {
            format!("`goto` reaches only the stages beside it: {}", one_of(names()))
        } else {
            did_you_mean(name, names()).unwrap_or_else(|| format!("there are {}", one_of(names())))
        };
        Err(Problem::new(format!("there is no state `{name}` to go to")).help(help))
    }

    /// The stage that `name` means, seen from this one: beside it, else anywhere.
    pub(crate) fn find(&self, from: StageId, name: &str) -> Result<StageId, Problem> {
        if let Some((states, _)) = self.scope(from) {
            let children = &self.stages[states.index()].children;
            if let Some(found) = children.iter().find(|child| self.stages[child.index()].name == name) {
                return Ok(*found);
            }
        }
        let mut found =
            self.stages.iter().enumerate().filter(|(_, stage)| stage.name == name || stage.path == name);
        match (found.next(), found.next()) {
            (Some((place, _)), None) => Ok(StageId(place as u16)),
            (Some((_, one)), Some((_, two))) => Err(Problem::new(format!("there are two stages `{name}`"))
                .help(format!("write `{}` or `{}`", one.path, two.path))),
            _ => {
                let names = self.stages.iter().map(|stage| stage.name.as_str());
                Err(Problem::new(format!("there is no stage `{name}`")).maybe_help(did_you_mean(name, names)))
            }
        }
    }
}

/// The names of `names`, as texts.
pub(crate) fn texts(names: &[Name]) -> impl Iterator<Item = &str> {
    names.iter().map(Name::as_str)
}
