BEGIN TRANSACTION;
CREATE TABLE couriers (
	receiver VARCHAR(200) NOT NULL, 
	product VARCHAR(63) NOT NULL, 
	seq INTEGER NOT NULL, 
	failing_since VARCHAR(32), 
	why TEXT, 
	PRIMARY KEY (receiver, product)
);
INSERT INTO "couriers" VALUES('subscriber/wiki','atlas',3,NULL,NULL);
INSERT INTO "couriers" VALUES('subscriber/wiki','kite',1,NULL,NULL);
INSERT INTO "couriers" VALUES('subscriber/crm','atlas',2,'2026-11-01T09:00:00+00:00','it answered 500');
CREATE TABLE deliveries (
	receiver VARCHAR(200) NOT NULL, 
	product VARCHAR(63) NOT NULL, 
	seq INTEGER NOT NULL, 
	event TEXT NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	at VARCHAR(32) NOT NULL, 
	why TEXT NOT NULL, 
	PRIMARY KEY (receiver, product, seq)
);
INSERT INTO "deliveries" VALUES('subscriber/crm','atlas',1,'product/atlas#1.12345678','sent','2026-11-01T09:00:00+00:00','');
INSERT INTO "deliveries" VALUES('subscriber/crm','atlas',2,'product/atlas#2.12345678','dead','2026-11-01T09:00:00+00:00','it answered 500');
CREATE TABLE documents (
	digest VARCHAR(71) NOT NULL, 
	kind VARCHAR(16) NOT NULL, 
	name VARCHAR(63) NOT NULL, 
	body TEXT NOT NULL, 
	published_at VARCHAR(32) NOT NULL, 
	published_by TEXT NOT NULL, 
	PRIMARY KEY (digest)
);
INSERT INTO "documents" VALUES('sha256:9a7a1a0677286c07a94b943c87da8b6e42d0abeaf5a3e206da9829116a39e37e','directory','default','{"directory":"default","groups":{"eng":{"approve":[],"members":["ana"],"permissions":{},"title":""}},"people":{"ana":{"absences":[],"country":null,"deputy":null,"email":"","manager":null,"name":"","quiet":false,"subdivision":null,"time_zone":"UTC","working_days":["mon","tue","wed","thu","fri"]}},"schema_version":1}','2026-11-01T09:00:00+00:00','ana');
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
INSERT INTO "events" VALUES('atlas',1,'product/atlas#1.12345678','gate.opened','','6fe66518d14c271f8c147368f40bfbc9880ae316398ad93708db477d9cf67881','{"actor":"ana","at":"2026-11-01T09:00:00Z","data":{},"id":"product/atlas#1.12345678","product":"atlas","seq":1,"source":"product/atlas","text":"märia","type":"gate.opened"}');
INSERT INTO "events" VALUES('atlas',2,'product/atlas#2.12345678','gate.decided','6fe66518d14c271f8c147368f40bfbc9880ae316398ad93708db477d9cf67881','9b2a52748fa2f4b3de4afca2a2aa52e63f2beb6d6a1aa97b4d7b7a6d62c1cee2','{"actor":"ana","at":"2026-11-01T09:00:00Z","data":{},"id":"product/atlas#2.12345678","product":"atlas","seq":2,"source":"product/atlas","text":"märia","type":"gate.decided"}');
INSERT INTO "events" VALUES('atlas',3,'product/atlas#3.12345678','gate.opened','9b2a52748fa2f4b3de4afca2a2aa52e63f2beb6d6a1aa97b4d7b7a6d62c1cee2','6e28ea7e0db06729c3be855dc522ebc9c22c4b9c99e782685abe6265b5346c86','{"actor":"ana","at":"2026-11-01T09:00:00Z","data":{},"id":"product/atlas#3.12345678","product":"atlas","seq":3,"source":"product/atlas","text":"märia","type":"gate.opened"}');
INSERT INTO "events" VALUES('kite',1,'product/kite#1.12345678','gate.opened','','d8fa21815cf55ec76ab506f84ca4c97bce0ae2a04f21d24978ab9466050224cf','{"actor":"ana","at":"2026-11-01T09:00:00Z","data":{},"id":"product/kite#1.12345678","product":"kite","seq":1,"source":"product/kite","text":"märia","type":"gate.opened"}');
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
INSERT INTO "publications" VALUES('directory','default',1,'sha256:9a7a1a0677286c07a94b943c87da8b6e42d0abeaf5a3e206da9829116a39e37e','2026-11-01T09:00:00+00:00','ana');
CREATE TABLE receivers (
	receiver VARCHAR(200) NOT NULL, 
	since VARCHAR(32) NOT NULL, 
	gone_at VARCHAR(32), 
	gone_url VARCHAR(64), 
	PRIMARY KEY (receiver)
);
INSERT INTO "receivers" VALUES('subscriber/crm','2026-11-01T09:00:00+00:00',NULL,NULL);
INSERT INTO "receivers" VALUES('subscriber/wiki','2026-11-01T09:00:00+00:00',NULL,NULL);
CREATE TABLE schema_version (
	version INTEGER NOT NULL, 
	PRIMARY KEY (version)
);
INSERT INTO "schema_version" VALUES(2);
CREATE TABLE streams (
	product VARCHAR(63) NOT NULL, 
	seq INTEGER NOT NULL, 
	hash VARCHAR(64) NOT NULL, 
	PRIMARY KEY (product)
);
INSERT INTO "streams" VALUES('atlas',3,'6e28ea7e0db06729c3be855dc522ebc9c22c4b9c99e782685abe6265b5346c86');
INSERT INTO "streams" VALUES('kite',1,'d8fa21815cf55ec76ab506f84ca4c97bce0ae2a04f21d24978ab9466050224cf');
CREATE INDEX deliveries_by_product ON deliveries (product, state);
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
