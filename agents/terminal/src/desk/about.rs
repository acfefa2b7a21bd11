//! What is known of a session from its start on, for those who watch it.

use std::sync::Arc;

use bramble_message::Started;
use bramble_subject::SessionStart;
use bramble_task::Task;

use crate::live::About;
use crate::plan;

/// From what a pilot said when it started.
pub(crate) fn of_start(started: &Started, task: Option<&Task>) -> About {
    let step = started.request.graduation.as_ref().and_then(plan::step_names);
    About {
        task: task.map(|task| Arc::new(task.summary())),
        step: step.map(|step| step.this),
        parameters: started.parameters.clone(),
        columns: (started.columns.iter())
            .map(|column| (column.name.to_string(), column.kind.clone()))
            .collect(),
        names: started.names.clone(),
        start: started.time,
    }
}

/// From the subject's file.
pub(crate) fn of_file(start: SessionStart, task: Option<&Task>) -> About {
    About {
        task: task.map(|task| Arc::new(task.summary())),
        step: start.protocol.map(|step| step.step),
        parameters: (start.parameters.into_iter())
            .map(|parameter| (parameter.name, parameter.value_type, parameter.value))
            .collect(),
        columns: start.columns.into_iter().map(|column| (column.name, column.value_type)).collect(),
        names: start.names,
        start: start.start_time,
    }
}
