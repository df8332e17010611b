//! What happens, written into the row as it happens.

use std::sync::Arc;

use model::discovery::Line;
use model::tables::Inquiry;
use model::{Id, Update};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::Engine;

/// Takes lines from everywhere; they are written in order, several at once
/// where they come faster than the database writes.
pub(super) struct Progress {
    lines: mpsc::UnboundedSender<Line>,
    writer: JoinHandle<String>,
}

impl Progress {
    pub fn begin(engine: Arc<Engine>, inquiry: Id) -> Self {
        let (lines, mut told) = mpsc::unbounded_channel::<Line>();
        let writer = tokio::spawn(async move {
            let mut text = String::new();
            while let Some(line) = told.recv().await {
                push(&mut text, &line);
                while let Ok(line) = told.try_recv() {
                    push(&mut text, &line);
                }
                let written = match engine.organization().await {
                    Ok(organization) => {
                        let update = Update::of::<Inquiry>(inquiry).set(Inquiry::C.progress, text.clone());
                        engine.commit_inquiry(&organization, update).await
                    }
                    Err(error) => Err(error),
                };
                // The whole text is written again at the end.
                if let Err(error) = written {
                    tracing::debug!(%error, "a line of an inquiry could not be written");
                }
            }
            text
        });
        Self { lines, writer }
    }

    pub fn tell(&self, line: Line) {
        // The writer lives as long as this does.
        let _ = self.lines.send(line);
    }

    /// All lines that were told.
    pub async fn end(self) -> String {
        drop(self.lines);
        self.writer.await.unwrap_or_default()
    }
}

fn push(text: &mut String, line: &Line) {
    text.push_str(&formats::inquiry::write_line(line));
    text.push('\n');
}
