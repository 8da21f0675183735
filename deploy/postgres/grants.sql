-- What each role may do in the ledger: docs/connections.md, Least privilege, says why. Run as the
-- owner after each upgrade; doing it again does no harm.
GRANT SELECT ON ALL TABLES IN SCHEMA public
  TO phasegate_worker, phasegate_people, phasegate_reader;

GRANT INSERT ON streams, events, receivers, couriers, deliveries, intents,
  customers, customer_facts, customer_changes, customer_mails TO phasegate_worker;
GRANT UPDATE ON streams, receivers, couriers, deliveries, intents,
  customers, customer_facts TO phasegate_worker;

GRANT SELECT ON schema_version, intents,
  customers, customer_facts, customer_changes, customer_mails TO phasegate_retirement;
GRANT INSERT ON intents,
  customers, customer_facts, customer_changes, customer_mails TO phasegate_retirement;
GRANT UPDATE ON intents, customers, customer_facts TO phasegate_retirement;

GRANT INSERT ON documents, publications,
  customers, customer_facts, customer_changes TO phasegate_people;
GRANT UPDATE ON customers, customer_facts, deliveries, receivers TO phasegate_people;
