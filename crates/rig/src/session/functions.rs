//! Where a task's functions are evaluated: at once, where time can wait for
//! them, or on a thread of their own.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;

use bramble_task::Functions;
use bramble_task::call::{Call, Returned};
use bramble_value::Row;

use crate::driver::{Happening, Post};

/// Evaluates a task's functions.
pub trait FunctionHost {
    /// Evaluates this call: its result, or the function's mistake in a sentence.
    /// `None` means that the answer will be posted to the session.
    fn call(&mut self, call: Box<Call>) -> Option<Result<Returned, String>>;

    /// A trial ended: functions see it from now on.
    fn row(&mut self, row: &Row);
}

/// Evaluates a task's functions at once.
impl FunctionHost for Functions {
    fn call(&mut self, call: Box<Call>) -> Option<Result<Returned, String>> {
        Some(Functions::call(self, &call).map_err(|error| error.to_string()))
    }

    fn row(&mut self, row: &Row) {
        Functions::row(self, row);
    }
}

/// Evaluates functions on a thread of its own, so that the loop goes on
/// meanwhile. The thread ends with this.
#[derive(Debug)]
pub struct OnThread {
    asks: Option<Sender<Asked>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
enum Asked {
    Call(Box<Call>),
    Row(Row),
}

impl OnThread {
    /// Starts the thread. Answers are posted to the session of `post`.
    pub fn start<F: FunctionHost + Send + 'static>(mut functions: F, post: Post) -> OnThread {
        let (asks, asked) = channel();
        let thread = std::thread::spawn(move || {
            for one in asked {
                match one {
                    Asked::Row(row) => functions.row(&row),
                    Asked::Call(call) => {
                        let number = call.number;
                        // Whoever waits for the answer must get one.
                        let result = catch_unwind(AssertUnwindSafe(|| functions.call(call)))
                            .unwrap_or_else(|_| Some(Err("it failed in a way that is Bramble's".to_owned())));
                        let answered = match result {
                            Some(result) => post.send(Happening::Answer { number, result }),
                            None => true,
                        };
                        if !answered {
                            return;
                        }
                    }
                }
            }
        });
        OnThread { asks: Some(asks), thread: Some(thread) }
    }

    fn ask(&self, asked: Asked) -> bool {
        self.asks.as_ref().is_some_and(|asks| asks.send(asked).is_ok())
    }
}

impl FunctionHost for OnThread {
    fn call(&mut self, call: Box<Call>) -> Option<Result<Returned, String>> {
        let gone = || Err("the thread that evaluates the task's functions is gone".to_owned());
        (!self.ask(Asked::Call(call))).then(gone)
    }

    fn row(&mut self, row: &Row) {
        // A thread that is gone is noticed by the next call.
        self.ask(Asked::Row(row.clone()));
    }
}

impl Drop for OnThread {
    fn drop(&mut self) {
        self.asks = None;
        if let Some(thread) = self.thread.take() {
            // A panic of the thread was its own; the session is over.
            let _ = thread.join();
        }
    }
}
