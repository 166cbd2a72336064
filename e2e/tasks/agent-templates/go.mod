module agent-templates

go 1.24
