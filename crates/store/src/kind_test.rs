use super::*;

const KIND: Kind = Kind {
    name: "the list of fruit",
    file: "fruit.sqlite",
    former_file: Some("fruit.db"),
    mark: Kind::mark(*b"atFr"),
    version: 3,
    tables: "CREATE TABLE fruit (name TEXT NOT NULL, colour TEXT, weight INTEGER) STRICT;",
    upgrades: &[Upgrade {
        from: 2,
        sql: "ALTER TABLE fruit ADD COLUMN weight INTEGER;",
    }],
    unmarked: &[Unmarked {
        user_version: 0,
        table: "fruit",
        version: 2,
    }],
    durability: Durability::Full,
};

fn place(folder: &tempfile::TempDir) -> Place {
    KIND.in_folder(&folder.path().join("data")).unwrap()
}

fn columns(db: &Connection) -> i64 {
    let count = "SELECT COUNT(*) FROM pragma_table_info('fruit')";
    db.query_row(count, [], |row| row.get(0)).unwrap()
}

#[test]
fn a_new_file_is_marked_and_found_again() {
    let folder = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let db = KIND.open(&place(&folder)).unwrap();
        assert_eq!(columns(&db), 3);
        let mode: String = db
            .query_row("PRAGMA journal_mode", [], |row| row.get(0))
            .unwrap();
        let synchronous: i64 = db
            .query_row("PRAGMA synchronous", [], |row| row.get(0))
            .unwrap();
        assert_eq!((mode.as_str(), synchronous), ("wal", 2));
    }
    let db = KIND.open(&Place::memory()).unwrap();
    assert_eq!(columns(&db), 3);
}

#[test]
fn a_closed_file_can_be_read_without_changing_anything() {
    let folder = tempfile::tempdir().unwrap();
    let place = place(&folder);
    assert!(!KIND.check(&place).unwrap());
    assert!(!folder.path().join("data").exists());
    let db = KIND.open(&place).unwrap();
    db.execute("INSERT INTO fruit (name) VALUES ('fig')", [])
        .unwrap();
    drop(db);
    let before = std::fs::read(place.path()).unwrap();
    assert!(KIND.check(&place).unwrap());
    let count = "SELECT COUNT(*) FROM fruit";
    let count: rusqlite::Result<i64> = KIND
        .readers(&place)
        .ask(|db| db.query_row(count, [], |row| row.get(0)));
    assert_eq!(count, Ok(1));
    assert_eq!(std::fs::read(place.path()).unwrap(), before);
}

#[cfg(unix)]
#[test]
fn nobody_else_may_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let place = place(&folder);
    let mode = |name: &str| {
        let path = folder.path().join("data").join(name);
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    };
    let db = KIND.open(&place).unwrap();
    db.execute("INSERT INTO fruit (name) VALUES ('fig')", [])
        .unwrap();
    let files = ["", "-wal", "-shm"].map(|ending| mode(&format!("fruit.sqlite{ending}")));
    assert_eq!((mode("."), files), (0o700, [0o600; 3]));
    // and a file from before is closed to others
    let open = std::fs::Permissions::from_mode(0o644);
    std::fs::set_permissions(place.path(), open).unwrap();
    KIND.open(&place).unwrap();
    assert_eq!(mode("fruit.sqlite"), 0o600);
}

#[test]
fn a_file_from_before_the_marks_is_renamed_and_brought_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("data")).unwrap();
    let former = Connection::open(folder.path().join("data/fruit.db")).unwrap();
    former
        .execute_batch(
            "PRAGMA journal_mode = WAL; CREATE TABLE fruit (name TEXT NOT NULL, colour TEXT) STRICT;
             INSERT INTO fruit VALUES ('fig', 'blue');",
        )
        .unwrap();
    drop(former);
    let db = KIND.open(&place(&folder)).unwrap();
    let marks = Marks::read(&db).unwrap();
    assert_eq!((columns(&db), marks.kind, marks.version), (3, KIND.mark, 3));
    let name: String = db
        .query_row("SELECT name FROM fruit", [], |row| row.get(0))
        .unwrap();
    assert_eq!(name, "fig");
    assert!(!folder.path().join("data/fruit.db").exists());
}

#[test]
fn what_is_newer_older_or_of_another_kind_is_refused_as_it_is() {
    let marked = |kind: i32, version: i32| {
        let folder = tempfile::tempdir().unwrap();
        let place = place(&folder);
        KIND.open(&place).unwrap();
        let db = Connection::open(place.path()).unwrap();
        db.pragma_update(None, "application_id", kind).unwrap();
        db.pragma_update(None, "user_version", version).unwrap();
        drop(db);
        let before = std::fs::read(place.path()).unwrap();
        let error = KIND.open(&place).unwrap_err();
        assert_eq!(std::fs::read(place.path()).unwrap(), before);
        error
    };
    assert!(matches!(
        marked(KIND.mark, 4),
        OpenError::Newer {
            found: 4,
            known: 3,
            ..
        }
    ));
    assert!(matches!(
        marked(KIND.mark, 1),
        OpenError::TooOld { found: 1, .. }
    ));
    assert!(matches!(marked(7, 3), OpenError::Foreign { .. }));

    let folder = tempfile::tempdir().unwrap();
    let place = place(&folder);
    std::fs::create_dir(folder.path().join("data")).unwrap();
    std::fs::write(place.path(), "a letter to somebody".repeat(99)).unwrap();
    let error = KIND.open(&place).unwrap_err();
    assert!(matches!(error, OpenError::Foreign { .. }), "{error}");
    assert!(error.to_string().contains("is not the list of fruit"));
}

#[test]
fn what_can_be_read_again_elsewhere_is_emptied_instead_of_refused() {
    let again = Kind {
        durability: Durability::Rebuildable,
        ..KIND
    };
    let filled = |version: i32| {
        let folder = tempfile::tempdir().unwrap();
        let place = place(&folder);
        let db = again.open(&place).unwrap();
        let synchronous: i64 = db
            .query_row("PRAGMA synchronous", [], |row| row.get(0))
            .unwrap();
        assert_eq!(synchronous, 1);
        db.execute_batch(
            "INSERT INTO fruit (name) VALUES ('fig'); CREATE TABLE more (a TEXT) STRICT;",
        )
        .unwrap();
        db.pragma_update(None, "user_version", version).unwrap();
        (folder, place)
    };
    let rows = |db: &Connection| -> (i64, i64) {
        let tables = "SELECT COUNT(*) FROM sqlite_schema";
        let fruit = "SELECT COUNT(*) FROM fruit";
        let count = |sql| db.query_row(sql, [], |row| row.get(0)).unwrap();
        (count(tables), count(fruit))
    };
    let (_folder, same) = filled(3);
    assert_eq!(rows(&again.open(&same).unwrap()), (2, 1));
    let (_folder, old) = filled(1);
    assert_eq!(rows(&again.open(&old).unwrap()), (1, 0));
    assert!(again.check(&old).unwrap());
    // a newer one only if that is asked for, and another kind never
    let (_folder, newer) = filled(4);
    let refused = again.open(&newer).unwrap_err();
    assert!(matches!(refused, OpenError::Newer { .. }), "{refused}");
    assert_eq!(rows(&again.open_emptied(&newer).unwrap()), (1, 0));
    let other = Kind { mark: 7, ..again };
    let refused = other.open_emptied(&newer).unwrap_err();
    assert!(matches!(refused, OpenError::Foreign { .. }), "{refused}");
}
