"""The tables of a ledger: one SQLite file that knows every picture, every version of the answers and every outcome."""

from __future__ import annotations

from typing import Final

APPLICATION_ID: Final = 0x6F6E6C6B
"""`onlk`: where SQLite keeps whose file it is (https://www.sqlite.org/fileformat.html#application_id)."""

SCHEMA_VERSION: Final = 2

_PICTURE: Final = """(
    id INTEGER PRIMARY KEY,
    place BLOB NOT NULL,         -- an absolute path in the system's own bytes, or a URL
    name TEXT UNIQUE,            -- the id that a manifest gives it; a place has a row for each of its ids
    size INTEGER,                -- of the file when it was listed, as is mtime_ns; both NULL where there was none
    mtime_ns INTEGER,
    sha256 BLOB,                 -- of its bytes when they could be read last
    unchecked INTEGER NOT NULL DEFAULT 0,  -- 1: size or date differ since then, so that it is to be hashed again
    UNIQUE (place, name)
) STRICT"""

SCHEMA: Final = f"""
CREATE TABLE picture {_PICTURE};

CREATE TABLE version (
    id INTEGER PRIMARY KEY,
    fingerprint TEXT NOT NULL UNIQUE,
    made_from TEXT NOT NULL,     -- JSON: what the fingerprint is the hash of
    taxonomy TEXT,               -- JSON of the taxonomy, which gives exports their columns and labels
    begun REAL NOT NULL
) STRICT;

CREATE TABLE answer (
    id INTEGER PRIMARY KEY,
    version INTEGER NOT NULL REFERENCES version,
    sha256 BLOB,
    result TEXT NOT NULL,        -- JSON of a TagResult that did not fail
    UNIQUE (version, sha256)
) STRICT;

-- A picture without a row here is still to do. Nothing is written before an outcome is there: a run that is killed
-- leaves no leases to be found and freed, because the lock of the folder ends with its process.
CREATE TABLE outcome (
    version INTEGER NOT NULL REFERENCES version,
    picture INTEGER NOT NULL REFERENCES picture,
    state TEXT NOT NULL CHECK (state IN ('ok', 'needs_review', 'failed', 'may_pass')),
    answer INTEGER REFERENCES answer,
    failure TEXT,                -- JSON of a TagResult that failed
    sha256 BLOB,                 -- of the bytes it is about; where the picture has others now, it is to do again
    PRIMARY KEY (version, picture),
    CHECK ((answer IS NULL) = (state IN ('failed', 'may_pass'))),
    CHECK ((failure IS NULL) = (answer IS NOT NULL))
) STRICT, WITHOUT ROWID;

-- The first picture of an answer, which the others with the same bytes are duplicates of.
CREATE INDEX outcome_of_answer ON outcome (answer) WHERE answer IS NOT NULL;

-- Pictures whose question was written into a file of the OpenAI batch format; its answer is read from another later.
CREATE TABLE request (
    version INTEGER NOT NULL REFERENCES version,
    sha256 BLOB NOT NULL,        -- of the picture's bytes
    picture INTEGER NOT NULL REFERENCES picture,
    file TEXT NOT NULL,          -- the file's name
    width INTEGER NOT NULL,      -- of the picture as it was sent, in pixels
    height INTEGER NOT NULL,
    PRIMARY KEY (version, sha256, picture)
) STRICT, WITHOUT ROWID;

CREATE INDEX request_of_picture ON request (picture);

CREATE TABLE run (
    id INTEGER PRIMARY KEY,
    version INTEGER NOT NULL REFERENCES version,
    process INTEGER NOT NULL,
    begun REAL NOT NULL,
    ended REAL,
    how TEXT,                    -- it ended: finished, stopped, failures, limit
    left_out TEXT NOT NULL,      -- JSON: entries of folders that are no pictures, by reason
    progress TEXT NOT NULL       -- JSON: a Progress, renewed while it runs
) STRICT;
"""

UPGRADES: Final = {
    1: f"""\
CREATE TABLE picture_of_2 {_PICTURE};
INSERT INTO picture_of_2 (id, place, name, size, mtime_ns, sha256)
    SELECT id, place, name, size, mtime_ns, sha256 FROM picture;
DROP TABLE picture;
ALTER TABLE picture_of_2 RENAME TO picture;
ALTER TABLE outcome ADD COLUMN sha256 BLOB;
UPDATE outcome SET sha256 = coalesce(
    (SELECT sha256 FROM answer WHERE answer.id = outcome.answer),
    (SELECT sha256 FROM picture WHERE picture.id = outcome.picture)
);
"""  # noqa: S608 - constants
}
"""From each earlier version to the next (https://www.sqlite.org/lang_altertable.html#otheralter)."""

AS_NEWEST: Final = {
    1: """
CREATE TEMP VIEW picture AS SELECT *, 0 AS unchecked FROM main.picture;
CREATE TEMP VIEW outcome AS SELECT *, coalesce(
    (SELECT sha256 FROM main.answer WHERE id = own.answer), (SELECT sha256 FROM main.picture WHERE id = own.picture)
) AS sha256 FROM main.outcome AS own;
"""
}
"""Views through which an earlier version is read, where nothing may be written: they hide the tables of their names."""


def statements(script: str) -> list[str]:
    """To be executed one after another in a transaction: `sqlite3.Connection.executescript` would end it."""
    return [each for each in script.split(";\n") if each.strip()]
