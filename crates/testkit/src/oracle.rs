//! What Kubernetes itself makes of a request, by its own code.

use std::{
    io::{BufRead, BufReader, BufWriter, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::mpsc,
};

use anyhow::{Context, anyhow, ensure};
use serde_json::{Value, json};

use crate::tools::{self, tools};

/// The oracle of `tests/cluster/oracle`: one JSON question, one JSON answer.
///
/// | question | answer |
/// |---|---|
/// | `{"op":"requestinfo","method":"GET","url":"/api/v1/pods"}` | the fields of `RequestInfo` |
/// | `{"op":"options","verb":"list","query":"limit=5"}` | the options; verbs: list, get, create, update, patch, delete, log, exec, attach, portforward |
/// | `{"op":"object","data":BASE64}` | `{"value":..}`: an object in protobuf or JSON, as its Go type has it |
/// | `{"op":"protobufsample","seed":1}` | `{"protobuf":BASE64,"json":..}`: an object made up |
/// | `{"op":"json","data":BASE64}`, `{"op":"yaml",..}` | `{"value":..,"strict":[..]}`: the decoded body, and what strict field validation says |
///
/// What the API server refuses is answered with `{"error":".."}`, and a question that the oracle does not understand
/// also with `"badQuestion":true`. Ended when dropped.
#[derive(Debug)]
pub struct Oracle {
    child: Child,
    questions: Option<BufWriter<ChildStdin>>,
    answers: BufReader<ChildStdout>,
}

// === impl Oracle ===

impl Oracle {
    /// Starts the program.
    ///
    /// # Errors
    /// It cannot be built or started.
    pub fn start() -> anyhow::Result<Self> {
        let mut child = Command::new(&tools()?.oracle)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("could not start the oracle")?;
        let questions = child.stdin.take().context("the oracle has no stdin")?;
        let answers = child.stdout.take().context("the oracle has no stdout")?;
        Ok(Self { child, questions: Some(BufWriter::new(questions)), answers: BufReader::new(answers) })
    }

    /// Asks one question.
    ///
    /// # Errors
    /// The oracle ended.
    pub fn ask(&mut self, question: Value) -> anyhow::Result<Value> {
        self.ask_many([question])?.pop().context("the oracle gave no answer")
    }

    /// Asks any number of questions, without waiting for one answer before the next question; answers are in the
    /// order of the questions.
    ///
    /// # Errors
    /// The oracle ended.
    pub fn ask_many(&mut self, questions: impl IntoIterator<Item = Value>) -> anyhow::Result<Vec<Value>> {
        let out = self.questions.as_mut().context("the oracle has ended")?;
        let answers = &mut self.answers;
        // Asking and listening go on at once, or both programs would wait on full pipes.
        std::thread::scope(|scope| {
            let (asked, pending) = mpsc::channel();
            let listener = scope.spawn(move || pending.into_iter().map(|()| read_answer(answers)).collect());
            let result = questions.into_iter().try_for_each(|question| {
                writeln!(out, "{question}")?;
                asked.send(()).context("the oracle stopped answering")
            });
            let flushed = out.flush();
            drop(asked);
            let answers: anyhow::Result<Vec<Value>> =
                listener.join().map_err(|_| anyhow!("reading the oracle's answers failed"))?;
            result?;
            flushed?;
            answers
        })
    }
}

impl Drop for Oracle {
    fn drop(&mut self) {
        drop(self.questions.take());
        self.child.wait().ok();
    }
}

/// The messages of every kind that a client may send, as `crates/kube-api/src/protobuf/schema.txt` has them.
///
/// # Errors
/// The oracle cannot be built, or does not know how to tell a type.
pub fn protobuf_schema() -> anyhow::Result<String> {
    let answer = Oracle::start()?.ask(json!({"op": "protobufschema"}))?;
    let lines: Vec<String> =
        serde_json::from_value(answer.clone()).with_context(|| format!("no schema: {answer}"))?;
    let version = tools::VERSION.0;
    Ok(format!(
        "# Kinds and protobuf messages of Kubernetes {version}; written by `cargo xtask protobuf`.\n{}\n",
        lines.join("\n")
    ))
}

fn read_answer(answers: &mut BufReader<ChildStdout>) -> anyhow::Result<Value> {
    let mut line = String::new();
    ensure!(answers.read_line(&mut line)? > 0, "the oracle ended without an answer");
    serde_json::from_str(&line).with_context(|| format!("not an answer: `{line}`"))
}
