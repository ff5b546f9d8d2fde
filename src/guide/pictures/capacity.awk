# hchan's rows of "Buffer sizes" in the benchmark's report, as a chart in Pikchr's language. A point is the median of the samples, and the
# upright line through it goes from the slowest to the fastest.

function inches(rate) { return (log(rate) / log(10) + 1.35) * 0.56 }
function place(column) { return 0.5 + (column - 1) * 0.47 }
function rate(nanos) { return 1000 / nanos }

/^- hchan's commit: / { commit = $NF }
/^- .* cores, / { machine = substr($0, 3) }
/^# / { is_ours = $0 == "# Buffer sizes" }
/^## / { group = $2 }
!is_ours || !/^\|/ { next }
{ split($0, cells, " *\\| *") }
cells[2] == "" && !columns { for (columns = 0; cells[columns + 3] != ""; columns++) capacity[columns + 1] = cells[columns + 3] }
cells[2] == "hchan" {
  for (column = 1; column <= columns; column++) {
    split(cells[column + 2], time, "[ (.)]+")
    median[group, column] = time[1]; least[group, column] = time[2]; most[group, column] = time[3]
  }
}

# One line of the chart, with its row of the legend. `shift` keeps the lines' points apart.
function line(group, name, colour, style, fill, shift, row,   column, x) {
  printf "line color %s %s from ", colour, style
  for (column = 1; column <= columns; column++)
    printf "%s(%.3fin, %.3fin)", column == 1 ? "" : " to ", place(column) + shift, inches(rate(median[group, column]))
  print ""
  for (column = 1; column <= columns; column++) {
    x = place(column) + shift
    printf "line color %s from (%.3fin, %.3fin) ", colour, x, inches(rate(most[group, column]))
    printf "to (%.3fin, %.3fin)\n", x, inches(rate(least[group, column]))
    printf "circle color %s fill %s radius 0.025in at (%.3fin, %.3fin)\n", colour, fill, x, inches(rate(median[group, column]))
  }
  printf "line color %s %s from (0.5in, %.2fin) to (0.8in, %.2fin)\n", colour, style, row, row
  printf "circle color %s fill %s radius 0.025in at (0.65in, %.2fin)\n", colour, fill, row
  printf "text \"%s\" ljust at (0.87in, %.2fin)\n", name, row
  said = said sprintf(" %s:", name)
  for (column = 1; column <= columns; column++) said = said sprintf(" %.3g%s", rate(median[group, column]), column < columns ? "," : ".")
}

END {
  threads = "0xc47a0a"; tasks = "0x3f7fd0"
  for (mark = 0.1; mark < 200; mark *= 10) {
    printf "line thin dotted from (0.42in, %.3fin) to (3in, %.3fin)\n", inches(mark), inches(mark)
    printf "text \"%g\" rjust at (0.37in, %.3fin)\n", mark, inches(mark)
  }
  printf "text \"million messages a second\" ljust at (0in, %.3fin)\n", inches(100) + 0.2
  for (column = 1; column <= columns; column++) printf "text \"%s\" at (%.3fin, -0.08in)\n", capacity[column], place(column)
  print "text \"capacity\" at (1.67in, -0.26in)"
  line("threads/4-1", "4 threads to one", threads, "", threads, -0.03, -0.48)
  line("threads/16-1", "16 threads to one", threads, "dashed", "white", -0.01, -0.66)
  line("tokio2/4-1", "4 tasks to one, two workers", tasks, "", tasks, 0.01, -0.84)
  line("tokio2/16-1", "16 tasks to one, two workers", tasks, "dashed", "white", 0.03, -1.02)
  split(machine, part, ", ")
  printf "text \"%s, %s,\" ljust at (0.5in, -1.24in)\n", part[1], part[2]
  printf "text \"%s, hchan at %s\" ljust at (0.5in, -1.4in)\n", part[3], commit
  for (column = 1; column <= columns; column++) list = list (column == 1 ? "" : ", ") capacity[column]
  print "# title: Throughput by capacity"
  printf "# desc: Million messages a second, medians, at the capacities %s.%s Measured at commit %s on %s.\n", list, said, commit, machine
}
