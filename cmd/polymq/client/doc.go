// Package client calls the JSON API of a running server, for the command line. It knows how a request
// is made, how a list is read page by page and what an error means; what the API's resources look like
// is for the commands, most of which only pass JSON on.
package client
