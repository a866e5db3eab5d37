//! Opens the port and wires the rooms together.
