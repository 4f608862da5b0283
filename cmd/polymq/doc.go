// Command polymq is a server that speaks the queue protocols of several clouds, with everything
// that lasts in PostgreSQL.
//
//	polymq serve             start the server, with a PostgreSQL of its own
//	polymq migrate status    what the schema of a database is at
//	polymq doctor            what a database or a server lacks
//	polymq queue list        and the like: what a server has (package manage)
//	polymq seed FILE         make a server have what a file declares (package seed)
//	polymq bench             measure a server
//	polymq version
//
// Everything that can be set is a flag, an environment variable and a key of a YAML file, of the
// same name and in this order of precedence; see `polymq serve --help`.
package main
