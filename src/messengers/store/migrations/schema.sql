CREATE TABLE access_rule (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    instance_id VARCHAR NOT NULL,
    direction VARCHAR NOT NULL,
    subject_kind VARCHAR NOT NULL,
    subject VARCHAR NOT NULL,
    effect VARCHAR NOT NULL,
    priority INTEGER NOT NULL,
    note VARCHAR NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER
);

CREATE TABLE alembic_version (
    version_num VARCHAR(32) NOT NULL,
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);

CREATE TABLE api_key (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    name VARCHAR NOT NULL,
    prefix VARCHAR NOT NULL,
    digest VARCHAR NOT NULL,
    preset VARCHAR NOT NULL,
    scopes VARCHAR NOT NULL,
    instances VARCHAR NOT NULL,
    toolsets VARCHAR NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    revoked_at INTEGER,
    last_used_at INTEGER,
    use_count INTEGER NOT NULL, rate_per_min INTEGER,
    UNIQUE (digest)
);

CREATE TABLE approval (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    action VARCHAR NOT NULL,
    instance_id VARCHAR NOT NULL,
    chat_id INTEGER,
    payload BLOB NOT NULL,
    draft VARCHAR NOT NULL,
    message_id INTEGER,
    shown VARCHAR NOT NULL,
    hash VARCHAR NOT NULL,
    state VARCHAR NOT NULL,
    requested_by VARCHAR NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    decided_at INTEGER,
    decided_by VARCHAR NOT NULL,
    decision VARCHAR NOT NULL,
    outcome VARCHAR NOT NULL
);

CREATE INDEX ix_approval_hash ON approval (requested_by, hash);

CREATE INDEX ix_approval_state ON approval (state, expires_at);

CREATE TABLE audit (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    actor VARCHAR NOT NULL,
    client VARCHAR NOT NULL,
    action VARCHAR NOT NULL,
    instance_id VARCHAR NOT NULL,
    chat_id INTEGER,
    message_id INTEGER,
    outcome VARCHAR NOT NULL,
    text_hash VARCHAR NOT NULL,
    detail VARCHAR NOT NULL
);

CREATE INDEX ix_audit_at ON audit (at);

CREATE INDEX ix_audit_queued ON audit (message_id) WHERE outcome = 'queued';

CREATE TABLE batch (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    kind VARCHAR NOT NULL,
    instance_id VARCHAR NOT NULL,
    state VARCHAR NOT NULL,
    reason VARCHAR NOT NULL,
    on_failure VARCHAR NOT NULL,
    delay_ms INTEGER NOT NULL,
    send_at INTEGER NOT NULL,
    requested_by VARCHAR NOT NULL,
    client_ref VARCHAR NOT NULL,
    draft_hash VARCHAR NOT NULL,
    created_at INTEGER NOT NULL,
    ended_at INTEGER,
    FOREIGN KEY(instance_id) REFERENCES instance (id) ON DELETE CASCADE
);

CREATE INDEX ix_batch_ref ON batch (requested_by, client_ref);

CREATE INDEX ix_batch_same ON batch (draft_hash, created_at);

CREATE INDEX ix_batch_state ON batch (state, id);

CREATE TABLE batch_recipient (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    batch_id INTEGER NOT NULL,
    position INTEGER NOT NULL,
    chat_id INTEGER NOT NULL,
    draft VARCHAR NOT NULL,
    skipped VARCHAR NOT NULL,
    FOREIGN KEY(batch_id) REFERENCES batch (id) ON DELETE CASCADE,
    FOREIGN KEY(chat_id) REFERENCES chat (id) ON DELETE CASCADE,
    UNIQUE (batch_id, position)
);

CREATE INDEX ix_batch_recipient_chat ON batch_recipient (chat_id);

CREATE TABLE chat (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    instance_id VARCHAR NOT NULL,
    native_id VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    name_source VARCHAR NOT NULL,
    name_folded VARCHAR NOT NULL,
    alias VARCHAR NOT NULL,
    alias_folded VARCHAR NOT NULL,
    phone VARCHAR NOT NULL,
    username VARCHAR NOT NULL,
    parent_id INTEGER,
    unread INTEGER NOT NULL,
    read_marker INTEGER NOT NULL,
    last_id INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    last_text VARCHAR NOT NULL,
    last_sender VARCHAR NOT NULL,
    last_direction VARCHAR NOT NULL,
    waiting INTEGER NOT NULL,
    owner_wrote_at INTEGER,
    peer_wrote_at INTEGER,
    decision VARCHAR NOT NULL,
    decided_at INTEGER,
    archived INTEGER NOT NULL,
    muted INTEGER NOT NULL,
    created_at INTEGER NOT NULL, hidden INTEGER DEFAULT 0 NOT NULL,
    FOREIGN KEY(instance_id) REFERENCES instance (id) ON DELETE CASCADE,
    FOREIGN KEY(parent_id) REFERENCES chat (id) ON DELETE SET NULL,
    UNIQUE (instance_id, native_id)
);

CREATE INDEX ix_chat_alias_folded ON chat (alias_folded);

CREATE INDEX ix_chat_instance_recent ON chat (instance_id, last_at, id);

CREATE INDEX ix_chat_name_folded ON chat (name_folded);

CREATE INDEX ix_chat_phone ON chat (phone);

CREATE INDEX ix_chat_recent ON chat (last_at, id);

CREATE INDEX ix_chat_username ON chat (username);

CREATE TABLE contact (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    instance_id VARCHAR NOT NULL,
    native_id VARCHAR NOT NULL,
    display_name VARCHAR NOT NULL,
    name_source VARCHAR NOT NULL,
    name_folded VARCHAR NOT NULL,
    username VARCHAR NOT NULL,
    phone VARCHAR NOT NULL,
    alt_ids VARCHAR NOT NULL,
    is_bot INTEGER NOT NULL,
    person_id INTEGER,
    seen_at INTEGER NOT NULL,
    FOREIGN KEY(instance_id) REFERENCES instance (id) ON DELETE CASCADE,
    FOREIGN KEY(person_id) REFERENCES person (id) ON DELETE SET NULL,
    UNIQUE (instance_id, native_id)
);

CREATE INDEX ix_contact_name_folded ON contact (name_folded);

CREATE INDEX ix_contact_phone ON contact (phone);

CREATE INDEX ix_contact_username ON contact (username);

CREATE TABLE credential (
    instance_id VARCHAR NOT NULL,
    field VARCHAR NOT NULL,
    ciphertext BLOB NOT NULL,
    PRIMARY KEY (instance_id, field),
    FOREIGN KEY(instance_id) REFERENCES instance (id) ON DELETE CASCADE
);

CREATE TABLE early (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    instance_id VARCHAR NOT NULL,
    chat_native_id VARCHAR NOT NULL,
    native_id VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    whose VARCHAR NOT NULL,
    at INTEGER NOT NULL,
    payload VARCHAR NOT NULL,
    received_at INTEGER NOT NULL,
    UNIQUE (instance_id, native_id, chat_native_id, kind, whose),
    FOREIGN KEY(instance_id) REFERENCES instance (id) ON DELETE CASCADE
);

CREATE INDEX ix_early_age ON early (received_at);

CREATE TABLE event (
    seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    kind VARCHAR NOT NULL,
    instance_id VARCHAR NOT NULL,
    chat_id INTEGER,
    message_id INTEGER,
    data VARCHAR NOT NULL
);

CREATE INDEX ix_event_message_id ON event (message_id);

CREATE TABLE inbound (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    instance_id VARCHAR NOT NULL,
    event_key VARCHAR NOT NULL,
    chat_key VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    payload BLOB NOT NULL,
    state VARCHAR NOT NULL,
    attempts INTEGER NOT NULL,
    lease_until INTEGER,
    next_at INTEGER NOT NULL,
    error VARCHAR NOT NULL,
    received_at INTEGER NOT NULL,
    FOREIGN KEY(instance_id) REFERENCES instance (id) ON DELETE CASCADE,
    UNIQUE (instance_id, event_key)
);

CREATE INDEX ix_inbound_dead ON inbound (id) WHERE state = 'dead';

CREATE INDEX ix_inbound_lane ON inbound (instance_id, chat_key, id) WHERE state = 'new';

CREATE INDEX ix_inbound_todo ON inbound (id) WHERE state = 'new';

CREATE TABLE instance (
    id VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    provider VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    wanted VARCHAR NOT NULL,
    confirm VARCHAR NOT NULL,
    read_only INTEGER NOT NULL,
    endpoints VARCHAR NOT NULL,
    policies VARCHAR NOT NULL,
    created_at INTEGER NOT NULL,
    deleted_at INTEGER,
    PRIMARY KEY (id),
    UNIQUE (name)
);

CREATE TABLE media (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    instance_id VARCHAR NOT NULL,
    chat_id INTEGER,
    sha256 VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    mime VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    size_bytes INTEGER NOT NULL,
    width INTEGER,
    height INTEGER,
    created_at INTEGER NOT NULL,
    FOREIGN KEY(chat_id) REFERENCES chat (id) ON DELETE CASCADE,
    FOREIGN KEY(instance_id) REFERENCES instance (id) ON DELETE CASCADE
);

CREATE INDEX ix_media_sha256 ON media (sha256);

CREATE TABLE message (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    instance_id VARCHAR NOT NULL,
    chat_id INTEGER NOT NULL,
    native_id VARCHAR,
    direction VARCHAR NOT NULL,
    origin VARCHAR NOT NULL,
    sender_id VARCHAR NOT NULL,
    sender_name VARCHAR NOT NULL,
    is_me INTEGER NOT NULL,
    is_bot INTEGER NOT NULL,
    sent_at INTEGER,
    received_at INTEGER NOT NULL,
    text VARCHAR NOT NULL,
    attachments VARCHAR NOT NULL,
    media VARCHAR NOT NULL,
    reply_to VARCHAR NOT NULL,
    thread VARCHAR NOT NULL,
    album VARCHAR NOT NULL,
    part VARCHAR NOT NULL,
    mentions_me INTEGER NOT NULL,
    reactions VARCHAR NOT NULL,
    detail VARCHAR NOT NULL,
    status VARCHAR NOT NULL,
    delivery VARCHAR NOT NULL,
    search_rowid INTEGER, edited_at INTEGER, withheld VARCHAR DEFAULT '' NOT NULL,
    FOREIGN KEY(chat_id) REFERENCES chat (id) ON DELETE CASCADE,
    FOREIGN KEY(instance_id) REFERENCES instance (id) ON DELETE CASCADE,
    UNIQUE (search_rowid)
);

CREATE INDEX ix_message_chat_time ON message (chat_id, sent_at, id);

CREATE INDEX ix_message_time ON message (sent_at, id);

CREATE INDEX ix_message_withheld ON message (chat_id, sent_at) WHERE withheld != '';

CREATE UNIQUE INDEX ux_message_native ON message (instance_id, chat_id, native_id) WHERE native_id IS NOT NULL;

CREATE VIRTUAL TABLE message_search USING fts5(text, scope, content='', tokenize="unicode61 remove_diacritics 2 categories 'L* N* Co So Sk Mn'", prefix='3 4');

CREATE TABLE opt_out (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    instance_id VARCHAR NOT NULL,
    subject VARCHAR NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (subject, instance_id)
);

CREATE TABLE outbox (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    draft VARCHAR NOT NULL,
    instance_id VARCHAR NOT NULL,
    chat_id INTEGER NOT NULL,
    message_id INTEGER NOT NULL,
    part INTEGER NOT NULL,
    parts INTEGER NOT NULL,
    payload VARCHAR NOT NULL,
    "key" VARCHAR NOT NULL,
    client_ref VARCHAR NOT NULL,
    draft_hash VARCHAR NOT NULL,
    batch_id INTEGER,
    state VARCHAR NOT NULL,
    attempts INTEGER NOT NULL,
    lease_until INTEGER,
    not_before INTEGER NOT NULL,
    expires_at INTEGER,
    requested_by VARCHAR NOT NULL,
    error_code VARCHAR NOT NULL,
    error VARCHAR NOT NULL,
    notes VARCHAR NOT NULL,
    created_at INTEGER NOT NULL,
    claimed_at INTEGER,
    settled_at INTEGER,
    CONSTRAINT state CHECK (state IN ('held','queued','claimed','accepted','failed','not_sent','unknown')),
    FOREIGN KEY(chat_id) REFERENCES chat (id) ON DELETE CASCADE,
    FOREIGN KEY(instance_id) REFERENCES instance (id) ON DELETE CASCADE,
    FOREIGN KEY(message_id) REFERENCES message (id) ON DELETE CASCADE,
    UNIQUE ("key")
);

CREATE INDEX ix_outbox_batch ON outbox (batch_id, id) WHERE batch_id IS NOT NULL;

CREATE INDEX ix_outbox_by ON outbox (requested_by, created_at);

CREATE INDEX ix_outbox_draft ON outbox (draft);

CREATE INDEX ix_outbox_lane ON outbox (chat_id, state, id);

CREATE INDEX ix_outbox_left ON outbox (instance_id, claimed_at);

CREATE INDEX ix_outbox_message ON outbox (message_id);

CREATE INDEX ix_outbox_of ON outbox (instance_id, created_at);

CREATE INDEX ix_outbox_ref ON outbox (requested_by, client_ref);

CREATE INDEX ix_outbox_same ON outbox (draft_hash, created_at);

CREATE INDEX ix_outbox_todo ON outbox (state, not_before, id);

CREATE TABLE pairing (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    instance_id VARCHAR NOT NULL,
    chat_id INTEGER NOT NULL,
    sender_id VARCHAR NOT NULL,
    code VARCHAR NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    told_at INTEGER,
    FOREIGN KEY(instance_id) REFERENCES instance (id) ON DELETE CASCADE,
    FOREIGN KEY(chat_id) REFERENCES chat (id) ON DELETE CASCADE,
    UNIQUE (chat_id),
    UNIQUE (code)
);

CREATE VIRTUAL TABLE passage USING fts5(terms, content='', detail=none, tokenize='ascii');

CREATE TABLE person (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    display_name VARCHAR NOT NULL,
    created_at INTEGER NOT NULL
);

CREATE TABLE setting (
    name VARCHAR NOT NULL,
    value VARCHAR NOT NULL,
    PRIMARY KEY (name)
);

CREATE TABLE webhook_delivery (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    endpoint_id INTEGER NOT NULL,
    event_seq INTEGER NOT NULL,
    kind VARCHAR NOT NULL,
    chat_id INTEGER NOT NULL,
    state VARCHAR NOT NULL,
    attempts INTEGER NOT NULL,
    next_at INTEGER NOT NULL,
    status_code INTEGER,
    error VARCHAR NOT NULL,
    created_at INTEGER NOT NULL,
    settled_at INTEGER,
    FOREIGN KEY(endpoint_id) REFERENCES webhook_endpoint (id) ON DELETE CASCADE
);

CREATE INDEX ix_delivery_log ON webhook_delivery (endpoint_id, id);

CREATE INDEX ix_delivery_settled ON webhook_delivery (settled_at);

CREATE INDEX ix_delivery_todo ON webhook_delivery (endpoint_id, chat_id, id) WHERE state = 'queued';

CREATE TABLE webhook_endpoint (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    name VARCHAR NOT NULL,
    instance_id VARCHAR NOT NULL,
    url BLOB NOT NULL,
    origin VARCHAR NOT NULL,
    secret BLOB NOT NULL,
    old_secret BLOB NOT NULL,
    old_until INTEGER NOT NULL,
    filters VARCHAR NOT NULL,
    state VARCHAR NOT NULL,
    why VARCHAR NOT NULL,
    position INTEGER NOT NULL,
    ok_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (name)
);
