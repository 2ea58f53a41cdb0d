# pgrehearse_embed(TARGET CONSTANT FILE HEADER): compiles a text file into the target as a
# std::string_view in the namespace pgrehearse::embedded. HEADER declares it.
# Run as a script, this file writes the source.
if(CMAKE_SCRIPT_MODE_FILE)
  file(READ "${INPUT}" content)
  file(WRITE "${OUTPUT}" "#include \"${HEADER}\"\n\nnamespace pgrehearse::embedded {\n\n")
  file(APPEND "${OUTPUT}" "constexpr std::string_view ${NAME}_text = R\"embedded(${content})embedded\";\n")
  file(APPEND "${OUTPUT}" "const std::string_view ${NAME} = ${NAME}_text;\n\n}\n")
  return()
endif()

set(PGREHEARSE_EMBED_SCRIPT ${CMAKE_CURRENT_LIST_FILE})

function(pgrehearse_embed target constant file header)
  set(source ${CMAKE_CURRENT_BINARY_DIR}/${constant}.cpp)
  add_custom_command(OUTPUT ${source}
    COMMAND ${CMAKE_COMMAND} -D INPUT=${CMAKE_CURRENT_SOURCE_DIR}/${file} -D OUTPUT=${source}
      -D NAME=${constant} -D HEADER=${header} -P ${PGREHEARSE_EMBED_SCRIPT}
    DEPENDS ${file} ${PGREHEARSE_EMBED_SCRIPT}
    VERBATIM)
  target_sources(${target} PRIVATE ${source})
endfunction()
