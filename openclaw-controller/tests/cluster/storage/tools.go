//go:build tools

// Package tools names the server of a bucket, for tests of backups.
package tools

import _ "github.com/versity/versitygw/cmd/versitygw"
