package main

import (
	"context"
	"fmt"

	"github.com/alignpipe/alignpipe/internal/pipeline"
)

func versionCommand(_ context.Context, args []string, std stdio) error {
	if len(args) > 0 {
		return pipeline.Misuse("", "version takes no arguments")
	}
	_, err := fmt.Fprintf(std.out, "alignpipe %s\n", version)
	return err
}
