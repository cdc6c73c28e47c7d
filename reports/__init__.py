"""What officials read: figures, frozen snapshots, bulletins and their renderers."""
