// Reads .env files, each a JSON string in one line, as docker compose does: with the reader of its own library.
package main

import (
	"bufio"
	"encoding/json"
	"os"
	"strings"

	"github.com/compose-spec/compose-go/v2/dotenv"
)

func main() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(make([]byte, 1<<20), 1<<26)
	out := json.NewEncoder(os.Stdout)
	for in.Scan() {
		var text string
		if err := json.Unmarshal(in.Bytes(), &text); err != nil {
			panic(err)
		}
		values, err := dotenv.ParseWithLookup(strings.NewReader(text), func(string) (string, bool) { return "", false })
		if err != nil {
			values = nil
		}
		if err := out.Encode(values); err != nil {
			panic(err)
		}
	}
}
