//! What the screen shows of a real ledger: drawn into memory, and read there.

use super::{
    app::{Action, App},
    draw::draw,
    sections::Section,
    terminal::{load, select},
};
use atoma_index::{Existing, IndexReader, Indexer, Until};
use atoma_network::testing::{DAY, Trial};
use ratatui::{
    Terminal,
    backend::TestBackend,
    crossterm::event::{KeyCode, KeyEvent, KeyModifiers},
};
use tokio::sync::watch;

/// A node that has served, a claim that is disputed; later its conviction.
async fn indexed(trial: &Trial) -> IndexReader {
    let path = trial.world.folder.path().join("index.sqlite");
    let ledger = &trial.world.ledger;
    let indexer = Indexer::open(ledger, &path, Existing::Keep).await.unwrap();
    let (_stop, stopped) = watch::channel(false);
    let run = indexer.run(Until::CaughtUp, stopped, |_| {});
    run.await.unwrap();
    IndexReader::open(&path, ledger.deployment()).unwrap()
}

struct Screen {
    app: App,
    reader: IndexReader,
    size: (u16, u16),
}

impl Screen {
    fn new(reader: IndexReader) -> Self {
        let mut app = App::new(Section::Overview, "trial".to_owned(), false);
        load(&mut app, &reader).unwrap();
        Self {
            app,
            reader,
            size: (80, 24),
        }
    }

    fn press(&mut self, keys: &str) -> Action {
        let mut last = Action::Draw;
        for key in keys.chars() {
            let code = match key {
                '\n' => KeyCode::Enter,
                '\t' => KeyCode::Tab,
                '\u{1b}' => KeyCode::Esc,
                key => KeyCode::Char(key),
            };
            last = self.app.key(KeyEvent::new(code, KeyModifiers::NONE));
            match last {
                Action::Load => load(&mut self.app, &self.reader).unwrap(),
                Action::Select => select(&mut self.app, &self.reader).unwrap(),
                Action::Draw | Action::Quit => {}
            }
        }
        last
    }

    fn text(&self) -> String {
        let backend = TestBackend::new(self.size.0, self.size.1);
        let mut terminal = Terminal::new(backend).unwrap();
        terminal.draw(|frame| draw(&self.app, frame)).unwrap();
        terminal.backend().to_string()
    }

    fn assert_shows(&self, parts: &[&str]) {
        let text = self.text();
        // however the columns are aligned
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        for part in parts {
            assert!(
                words(&text).contains(&words(part)),
                "no `{part}` in\n{text}"
            );
        }
    }
}

#[tokio::test]
async fn every_section_shows_the_ledger() {
    let trial = Trial::start().await;
    trial.settle().await;
    trial.demand(2).await;
    let mut screen = Screen::new(indexed(&trial).await);
    screen.assert_shows(&[
        "1 Overview",
        "7 Events",
        "active nodes 1",
        "deposited 0.005",
        "open demands 1",
        "1 stacks, 0.005 in, 0.00 to nodes",
        "q leave",
    ]);
    let node = format!("{}", trial.node);
    let url = "http://127.0.0.1:1";
    screen.press("2");
    screen.assert_shows(&[
        "Nodes (1)",
        "100.00",
        "active",
        &node,
        "offers model at 1.00",
    ]);
    screen.press("]]]]]]]]");
    screen.assert_shows(&[url]);
    screen.press("\t");
    screen.assert_shows(&[
        "Tasks & prices (1)",
        "model",
        "cheapest",
        "1 model 1 1.00 1 0.00",
    ]);
    screen.press("4");
    screen.assert_shows(&["Stacks (1)", "open", "5000 units at 1.00, open", "0.005"]);
    screen.press("5");
    screen.assert_shows(&[
        "Settlements (1)",
        "3500",
        "claim of 3500 units, 3 requests: open",
    ]);
    screen.press("6");
    screen.assert_shows(&["Disputes (1)", "demand", "demand for unit 1499: open"]);
    screen.press("7");
    screen.assert_shows(&[
        "Events (7)",
        "dispute::RecordDemanded",
        "settlement::SettlementOpened",
    ]);

    // silence convicts
    trial.advance(DAY + 1).await;
    let stack = trial.stack().await;
    let unit = trial.unit(2);
    let call = trial.world.ledger.prove_silence(&stack, trial.node, unit);
    trial.run(&trial.user, call).await.unwrap();
    drop(screen);
    let mut screen = Screen::new(indexed(&trial).await);
    screen.assert_shows(&["convictions 1", "fined 0.035"]);
    screen.press("6");
    screen.assert_shows(&["verdict", "silence", "won"]);
    screen.press("5");
    screen.assert_shows(&["struck"]);
    screen.press("2");
    screen.assert_shows(&["jailed to"]);
}

#[tokio::test]
async fn keys_search_sort_and_leave() {
    let trial = Trial::start().await;
    for (model, price) in [("zebra", 3), ("apple", 1), ("mango", 2)] {
        let task = trial.world.task(&trial.operator, model).await;
        for price in [price * 100_000, price * 50_000] {
            let call = atoma_types::chain::calls::Subscribe {
                db: trial.world.ledger.deployment().db.into(),
                task: task.into(),
                node: trial.node.into(),
                price: atoma_types::Price(price),
                clock: atoma_types::chain::Clock,
            };
            trial.run(&trial.operator, call).await.unwrap();
        }
    }
    let mut screen = Screen::new(indexed(&trial).await);
    screen.press("3");
    screen.assert_shows(&["Tasks & prices (4)"]);
    screen.press("/ZEB");
    screen.assert_shows(&["/ZEB_  (1 of 4)"]);
    screen.press("\n");
    screen.size = (100, 40);
    screen.assert_shows(&[
        "[search ZEB: 1 of 4]",
        "lowest price, 2 changes: 0.15 to 0.30, now 0.15",
        "\u{2588}",
    ]);
    screen.press("\u{1b}");
    screen.press("ss");
    let order = |screen: &Screen| -> Vec<String> {
        let rows = screen.app.visible();
        rows.map(|row| row.get("model").unwrap().text()).collect()
    };
    assert_eq!(order(&screen), ["apple", "mango", "model", "zebra"]);
    screen.press("r");
    assert_eq!(order(&screen), ["zebra", "model", "mango", "apple"]);
    // the selection stays with its row when rows come anew
    screen.press("gj");
    load(&mut screen.app, &screen.reader).unwrap();
    assert_eq!(
        screen.app.row().unwrap().get("model").unwrap().text(),
        "model"
    );

    screen.press("?");
    screen.assert_shows(&["Keys", "Ctrl-C"]);
    screen.press("x");
    assert!(!screen.text().contains("Ctrl-C"));
    // any size can be drawn, and every key be pressed in every section
    for section in '1'..='7' {
        screen.press(&format!("{section}jkGgssr?x/no\n\u{1b}][hl"));
        for size in [(1, 1), (3, 2), (20, 5), (80, 24), (300, 100)] {
            screen.size = size;
            screen.text();
        }
    }
    assert_eq!(screen.press("q"), Action::Quit);
    let ctrl_c = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
    assert_eq!(screen.app.key(ctrl_c), Action::Quit);
}
