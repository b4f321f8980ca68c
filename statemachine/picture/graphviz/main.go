// Command graphviz reads a graph in the DOT language from standard input and writes
// it, laid out, as SVG to standard output. It is a module of its own, because only
// the test that keeps package picture's layouts current needs Graphviz.
package main

import (
	"context"
	"io"
	"log"
	"os"

	"github.com/goccy/go-graphviz"
)

func main() {
	log.SetFlags(0)
	if err := lay(context.Background(), os.Stdin, os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func lay(ctx context.Context, from io.Reader, to io.Writer) error {
	dot, err := io.ReadAll(from)
	if err != nil {
		return err
	}
	g, err := graphviz.New(ctx)
	if err != nil {
		return err
	}
	defer g.Close()
	graph, err := graphviz.ParseBytes(dot)
	if err != nil {
		return err
	}
	defer graph.Close()
	return g.Render(ctx, graph, graphviz.SVG, to)
}
