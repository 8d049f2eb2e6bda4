-- The ledger's roles on a new PostgreSQL server, run once by psql as a superuser.
--
-- hours_owner owns the database; hours_worker, hours_registrar, hours_board, hours_signer and
-- hours_reader get their privileges from `hours init`. None of the six can log in: the logins are members, each with a password of its
-- own from a file, so that no password stands in a setting, in a process list or in the log.
\set secrets /run/secrets
\getenv secrets HOURS_SECRETS
\set owner `cat :secrets/ledger_owner`
\set worker `cat :secrets/ledger_worker`
\set registrar `cat :secrets/ledger_registrar`
\set board `cat :secrets/ledger_board`
\set signer `cat :secrets/ledger_signer`
\set reader `cat :secrets/ledger_reader`
SET log_min_error_statement = panic;
SET log_statement = none;

CREATE ROLE hours_owner NOLOGIN;
CREATE ROLE hours_worker NOLOGIN;
CREATE ROLE hours_registrar NOLOGIN;
CREATE ROLE hours_board NOLOGIN;
CREATE ROLE hours_signer NOLOGIN;
CREATE ROLE hours_reader NOLOGIN;

-- What a login of the owner makes belongs to hours_owner, so that the login can be replaced.
CREATE ROLE hours_owner_login LOGIN PASSWORD :'owner' IN ROLE hours_owner;
ALTER ROLE hours_owner_login SET role = 'hours_owner';
-- One login for all workers: each may end an append that another has left standing.
CREATE ROLE hours_worker_login LOGIN PASSWORD :'worker' IN ROLE hours_worker;
CREATE ROLE hours_registrar_login LOGIN PASSWORD :'registrar' IN ROLE hours_registrar;
CREATE ROLE hours_board_login LOGIN PASSWORD :'board' IN ROLE hours_board;
CREATE ROLE hours_signer_login LOGIN PASSWORD :'signer' IN ROLE hours_signer;
CREATE ROLE hours_reader_login LOGIN PASSWORD :'reader' IN ROLE hours_reader;
ALTER ROLE hours_reader_login SET default_transaction_read_only = on;

-- The database this is run in, whatever its name.
SELECT current_database() AS ledger \gset
ALTER DATABASE :"ledger" OWNER TO hours_owner;
REVOKE ALL ON DATABASE :"ledger" FROM PUBLIC;
GRANT CONNECT ON DATABASE :"ledger" TO hours_worker, hours_registrar, hours_board, hours_signer,
  hours_reader;
