"""What a trace says about a run, for people: read, judged, and drawn.

Knows the trace file and nothing of how a download is made. The way through the rooms: `reading` (file to records),
`story` (records to facts, in bounded memory), `losses` and `causes` (facts to seconds lost and one sentence), then
`page`, `picture` or `text`.
"""
