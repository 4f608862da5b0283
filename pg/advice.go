package pg

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// Advice says what an operator can do about an error of the database, "" where nothing comes to mind, and gives what
// caused it.
func Advice(err error) (advice string, cause error) {
	var refused *pgconn.PgError
	var unreachable *pgconn.ConnectError
	var unknown x509.UnknownAuthorityError
	var unverified *tls.CertificateVerificationError
	if errors.As(err, &unreachable) {
		err = unreachable // what is around it tells clients that they should try again
	}
	if errors.As(err, &refused) {
		if advice := adviceOf(refused); advice != "" {
			return advice, err
		}
	}
	switch {
	case refused != nil && unreachable != nil:
		return "the database refuses the connection", err
	case errors.As(err, &unknown), errors.As(err, &unverified):
		return "the database's certificate is not trusted, name its authority in database-url (sslrootcert=FILE), and a host that it is for", err
	case unreachable != nil:
		return "the database cannot be reached, check that PostgreSQL runs where database-url, or database-direct-url, says", err
	}
	return "", err
}

// adviceOf says what to do about what PostgreSQL, or a pooler before it, refuses.
func adviceOf(refused *pgconn.PgError) string {
	switch refused.Code {
	case "28P01", "28000":
		return "the database refuses the login, check the user and password of database-url, or database-password-file"
	case "3D000":
		return "the database of database-url does not exist, create it (createdb)"
	case "53300":
		return "the database has no connections left, lower database-pool-size or raise its max_connections"
	case "42501":
		return "the database role may not do this, it needs CREATE on the database or a schema of its own (database-schema)"
	case readOnly:
		return "the database takes no writes: name all its hosts in database-url, with target_session_attrs=read-write, or turn default_transaction_read_only off"
	case "08P01": // which PgBouncer has for whatever it refuses
		if strings.Contains(refused.Message, "startup parameter") { // the settings of our sessions
			return "the URL leads to a pooler, such as PgBouncer: give the way past it as database-direct-url, or set database-pooled where there is none"
		}
		return "the pooler before the database refuses the connection, check the user, password and database of database-url, and how many clients the pooler takes"
	}
	return ""
}
