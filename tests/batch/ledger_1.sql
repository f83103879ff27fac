CREATE TABLE picture (
    id INTEGER PRIMARY KEY,
    place BLOB NOT NULL UNIQUE,  -- an absolute path in the system's own bytes, or a URL
    name TEXT UNIQUE,            -- the id that a manifest gives it
    size INTEGER,                -- of the file when it was listed, as is mtime_ns; both NULL where there was none
    mtime_ns INTEGER,
    sha256 BLOB                  -- of the bytes that were asked about last
) STRICT;

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

PRAGMA application_id = 1869507691;
PRAGMA user_version = 1;
