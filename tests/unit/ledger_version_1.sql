BEGIN TRANSACTION;
CREATE TABLE documents (
	digest VARCHAR(71) NOT NULL, 
	kind VARCHAR(16) NOT NULL, 
	name VARCHAR(63) NOT NULL, 
	body TEXT NOT NULL, 
	published_at VARCHAR(32) NOT NULL, 
	published_by TEXT NOT NULL, 
	PRIMARY KEY (digest)
);
INSERT INTO "documents" VALUES('sha256:2579614a984cd42e580c402b33be94f09dfcb1ebe96abe0eb83b8786c50da104','directory','default','{"directory":"default","groups":{"eng":{"approve":[],"members":["ana"],"permissions":{},"title":""}},"people":{"ana":{"absences":[],"country":null,"deputy":null,"email":"","manager":null,"name":"","subdivision":null,"time_zone":"UTC","working_days":["mon","tue","wed","thu","fri"]}},"schema_version":1}','2026-11-01T00:00:00+00:00','ana');
CREATE TABLE events (
	product VARCHAR(63) NOT NULL, 
	seq INTEGER NOT NULL, 
	id TEXT NOT NULL, 
	type TEXT NOT NULL, 
	prev_hash VARCHAR(64) NOT NULL, 
	hash VARCHAR(64) NOT NULL, 
	body TEXT NOT NULL, 
	PRIMARY KEY (product, seq), 
	FOREIGN KEY(product) REFERENCES streams (product), 
	UNIQUE (id)
);
INSERT INTO "events" VALUES('atlas',1,'product/atlas#1.12345678','gate.opened','','478aa1ddf763b6756217abb00153c19fde0dfd7f5935c51e752922012756a103','{"actor":"ana","at":"2026-11-01T09:00:00Z","data":{"n":1},"id":"product/atlas#1.12345678","product":"atlas","seq":1,"source":"product/atlas","text":"what happened, part 1","type":"gate.opened"}');
INSERT INTO "events" VALUES('atlas',2,'product/atlas#2.12345678','gate.decided','478aa1ddf763b6756217abb00153c19fde0dfd7f5935c51e752922012756a103','9607413cf321577aff513c79f2f2499cd08e063880796afbc4c38dd31a9f1d37','{"actor":"ana","at":"2026-11-02T09:00:00Z","data":{"n":2},"id":"product/atlas#2.12345678","product":"atlas","seq":2,"source":"product/atlas","text":"what happened, part 2","type":"gate.decided"}');
INSERT INTO "events" VALUES('atlas',3,'product/atlas#3.12345678','gate.opened','9607413cf321577aff513c79f2f2499cd08e063880796afbc4c38dd31a9f1d37','77e47ff4288947e80b93176048d41316cceba3b82d5d707d33ea0f94bc1ed3b6','{"actor":"ana","at":"2026-11-03T09:00:00Z","data":{"n":3},"id":"product/atlas#3.12345678","product":"atlas","seq":3,"source":"product/atlas","text":"what happened, part 3","type":"gate.opened"}');
INSERT INTO "events" VALUES('kite',1,'product/kite#1.12345678','gate.opened','','acebd96ddf4c55a75aad98c84a6580f99275715cc836b2dd5cb69a1097645eb9','{"actor":"ana","at":"2026-11-01T09:00:00Z","data":{"n":1},"id":"product/kite#1.12345678","product":"kite","seq":1,"source":"product/kite","text":"what happened, part 1","type":"gate.opened"}');
CREATE TABLE publications (
	kind VARCHAR(16) NOT NULL, 
	name VARCHAR(63) NOT NULL, 
	n INTEGER NOT NULL, 
	digest VARCHAR(71) NOT NULL, 
	published_at VARCHAR(32) NOT NULL, 
	published_by TEXT NOT NULL, 
	PRIMARY KEY (kind, name, n), 
	FOREIGN KEY(digest) REFERENCES documents (digest)
);
INSERT INTO "publications" VALUES('directory','default',1,'sha256:2579614a984cd42e580c402b33be94f09dfcb1ebe96abe0eb83b8786c50da104','2026-11-01T00:00:00+00:00','ana');
CREATE TABLE schema_version (
	version INTEGER NOT NULL, 
	PRIMARY KEY (version)
);
INSERT INTO "schema_version" VALUES(1);
CREATE TABLE streams (
	product VARCHAR(63) NOT NULL, 
	seq INTEGER NOT NULL, 
	hash VARCHAR(64) NOT NULL, 
	PRIMARY KEY (product)
);
INSERT INTO "streams" VALUES('atlas',3,'77e47ff4288947e80b93176048d41316cceba3b82d5d707d33ea0f94bc1ed3b6');
INSERT INTO "streams" VALUES('kite',1,'acebd96ddf4c55a75aad98c84a6580f99275715cc836b2dd5cb69a1097645eb9');
CREATE TRIGGER schema_version_update BEFORE UPDATE ON schema_version BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: schema_version are never changed'); END;
CREATE TRIGGER schema_version_delete BEFORE DELETE ON schema_version BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: schema_version are never deleted'); END;
CREATE TRIGGER schema_version_insert BEFORE INSERT ON schema_version WHEN EXISTS (SELECT 1 FROM schema_version WHERE version = NEW.version) BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: schema_version are never replaced'); END;
CREATE TRIGGER events_update BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: events are never changed'); END;
CREATE TRIGGER events_delete BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: events are never deleted'); END;
CREATE TRIGGER events_insert BEFORE INSERT ON events WHEN EXISTS (SELECT 1 FROM events WHERE (product = NEW.product AND seq = NEW.seq) OR id = NEW.id) BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: events are never replaced'); END;
CREATE TRIGGER documents_update BEFORE UPDATE ON documents BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: documents are never changed'); END;
CREATE TRIGGER documents_delete BEFORE DELETE ON documents BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: documents are never deleted'); END;
CREATE TRIGGER documents_insert BEFORE INSERT ON documents WHEN EXISTS (SELECT 1 FROM documents WHERE digest = NEW.digest) BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: documents are never replaced'); END;
CREATE TRIGGER publications_update BEFORE UPDATE ON publications BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: publications are never changed'); END;
CREATE TRIGGER publications_delete BEFORE DELETE ON publications BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: publications are never deleted'); END;
CREATE TRIGGER publications_insert BEFORE INSERT ON publications WHEN EXISTS (SELECT 1 FROM publications WHERE kind = NEW.kind AND name = NEW.name AND n = NEW.n) BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: publications are never replaced'); END;
CREATE TRIGGER streams_delete BEFORE DELETE ON streams BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: streams are never deleted'); END;
CREATE TRIGGER streams_update BEFORE UPDATE ON streams WHEN NEW.product IS NOT OLD.product OR NEW.seq <= OLD.seq BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: streams only grow'); END;
CREATE TRIGGER streams_insert BEFORE INSERT ON streams WHEN EXISTS (SELECT 1 FROM streams WHERE product = NEW.product) BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: streams are never replaced'); END;
COMMIT;
