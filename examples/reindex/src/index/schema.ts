/** Raised when the tables change: an old index is not migrated, but made again from the mail. */
export const schemaVersion = 1

/**
 * The FTS5 table `words` takes its text from `message`. The indexed columns of a row never change, so that two triggers are enough.
 */
export const schema = `
  CREATE TABLE mailbox (
    id INTEGER PRIMARY KEY,
    path TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    -- The number of passes. A message that the latest pass did not find is no longer in the mailbox.
    pass INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE message (
    id INTEGER PRIMARY KEY,
    mailbox INTEGER NOT NULL REFERENCES mailbox (id),
    -- Identifies the message in its mailbox: its name in a Maildir, or the hash of its content.
    key TEXT NOT NULL,
    pass INTEGER NOT NULL,
    place TEXT NOT NULL,
    flags TEXT NOT NULL,
    date INTEGER,
    subject TEXT NOT NULL,
    sender TEXT NOT NULL,
    recipients TEXT NOT NULL,
    attachments TEXT NOT NULL,
    text TEXT NOT NULL,
    UNIQUE (mailbox, key)
  ) STRICT;

  CREATE VIRTUAL TABLE words USING fts5 (
    subject, sender, recipients, attachments, text,
    content = 'message', content_rowid = 'id', tokenize = 'unicode61 remove_diacritics 2'
  );

  CREATE TRIGGER message_added AFTER INSERT ON message BEGIN
    INSERT INTO words (rowid, subject, sender, recipients, attachments, text)
    VALUES (new.id, new.subject, new.sender, new.recipients, new.attachments, new.text);
  END;

  CREATE TRIGGER message_removed AFTER DELETE ON message BEGIN
    INSERT INTO words (words, rowid, subject, sender, recipients, attachments, text)
    VALUES ('delete', old.id, old.subject, old.sender, old.recipients, old.attachments, old.text);
  END;

  PRAGMA user_version = ${schemaVersion};
`
